import type { KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import type { Metrics } from '../../observability/metrics.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import type { QueueConsumer, TracedRecord } from '../../ports/delivery-queue.ts';
import { createCommitLane } from './commit-lane.ts';
import { openConsumerSession, type ConsumerSession } from './consumer-session.ts';
import type { DeadLetters } from './dead-letters.ts';
import { deliverTopic, workerGroup, type KafkaRegion, type KafkaTuning } from './kafka-options.ts';
import {
  advance,
  newPartitionProgress,
  noteHanded,
  noteSafe,
  setAside,
  type PartitionProgress,
} from './partition-progress.ts';
import { withDeadline } from './producer-session.ts';
import { createRecordDecoder, traceparentIn } from './record-codec.ts';

/**
 * A worker's membership in one region's Kafka: the group of this worker's home, on the topic of its home.
 *
 * A partition counts as assigned with its first record: only then does kafkajs tell the offset at which it begins, and
 * nobody misses a partition in which there is nothing. A rebalance takes every partition away (kafkajs knows eager
 * rebalancing only) and gives them back under new generations, from the committed offset on.
 */
export interface RegionConsumer {
  /** Everything below `offset` is finished. Void when the generation is not the partition's current one. */
  commit(partition: number, generation: number, offset: number): void;
  pause(): void;
  resume(): void;
  /** Commits what is finished, leaves the group and revokes every partition. */
  leave(): Promise<void>;
}

export interface RegionConsumerOptions {
  readonly region: KafkaRegion;
  /** The region whose recipients this worker serves. */
  readonly home: string;
  readonly clientId: string;
  readonly consumer: QueueConsumer;
  /** The number of a partition of this region among those of all regions. */
  readonly numberOf: (partition: number) => number;
  /** Gives a generation that no other assignment has. */
  readonly nextGeneration: () => number;
  readonly deadLetters: DeadLetters;
  readonly tuning: KafkaTuning;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Opens the sessions; for tests, which decide how one goes. */
  readonly openSession?: typeof openConsumerSession;
}

export function createRegionConsumer(options: RegionConsumerOptions): RegionConsumer {
  const { region, consumer, numberOf, tuning, metrics, openSession = openConsumerSession } = options;
  const log = options.log.child({ queueRegion: region.region });
  const partitions = new Map<number, PartitionProgress>();
  let session: ConsumerSession | undefined;
  let paused = false;
  let left = false;
  let failures = 0;
  let rebuildTimer: NodeJS.Timeout | undefined;

  const lane = createCommitLane({
    partitions,
    commit: () => session?.commit,
    everyMs: tuning.commitMs,
    metrics,
  });
  const takeBatch = createBatchTaker({ ...options, log, partitions, finish });
  // kafkajs may wait for ever for a connection that hangs; who has not heard a broker for so long is built anew.
  const silenceMs = tuning.sessionTimeoutMs + tuning.rebalanceTimeoutMs + tuning.requestTimeoutMs;
  const watchdog = setInterval(() => {
    if (session === undefined || performance.now() - session.heardMs < silenceMs) return;
    session.cut();
    rebuild(new Error(`no broker was heard for ${silenceMs} ms`));
  }, 1_000);

  function start(): void {
    const topic = deliverTopic(options.home);
    session = openSession(
      { ...options, groupId: workerGroup(options.home), topic, paused },
      {
        joined() {
          revokeAll();
          failures = 0;
          log.info({ topic }, 'joined the group of workers');
        },
        rebalancing() {
          lane.flush();
          revokeAll();
        },
        records: takeBatch,
        failed: rebuild,
      },
    );
  }

  function rebuild(error: Error): void {
    session = undefined;
    revokeAll();
    // A session that breaks under the last commit of who leaves is the end of it: another would join the group again.
    if (left) return;
    failures++;
    metrics.queueRebuilds.inc({ part: 'consumer' });
    const delayMs = fullJitter(failures - 1, tuning.rebuildBaseMs, tuning.rebuildMaxMs);
    log.warn({ err: error, failures, delayMs }, 'the consumer failed and is built anew');
    rebuildTimer = setTimeout(start, delayMs);
  }

  function revokeAll(): void {
    const revoked = [...partitions.keys()];
    partitions.clear();
    for (const partition of revoked) consumer.revoked(numberOf(partition));
  }

  function finish(partition: number, progress: PartitionProgress, offset: number): void {
    if (partitions.get(partition) !== progress) return;
    advance(progress, offset);
    if (progress.finished > progress.committed) lane.moved(partition);
  }

  start();
  return {
    commit(partition, generation, offset) {
      const progress = partitions.get(partition);
      if (progress?.generation === generation) finish(partition, progress, offset);
      else metrics.queueCommits.inc({ outcome: 'void' });
    },
    pause() {
      paused = true;
      session?.pause();
    },
    resume() {
      paused = false;
      session?.resume();
    },
    async leave() {
      if (left) return;
      left = true;
      clearInterval(watchdog);
      clearTimeout(rebuildTimer);
      session?.pause();
      await withDeadline(lane.idle(), tuning.drainMs, 'the last commit').catch(() => undefined);
      lane.close();
      revokeAll();
      await session?.leave();
      session = undefined;
    },
  };
}

/** Hands records over and returns: the work goes on outside, and its end is committed when it comes. */
function createBatchTaker(
  options: RegionConsumerOptions & {
    readonly partitions: Map<number, PartitionProgress>;
    readonly finish: (partition: number, progress: PartitionProgress, offset: number) => void;
  },
): (partition: number, first: number, messages: readonly KafkaMessage[]) => Promise<void> {
  const { region, home, consumer, numberOf, nextGeneration, partitions, finish, deadLetters } = options;
  const { metrics, log } = options;
  const decode = createRecordDecoder();
  const source = { region: region.region, topic: deliverTopic(home) };

  /** The assignment under way, or a new one: the first records of a partition, or a log that was cut and begins anew. */
  function assignmentOf(partition: number, first: number): PartitionProgress {
    const known = partitions.get(partition);
    if (known !== undefined && first >= known.next) return known;
    if (known !== undefined) {
      log.warn({ partition, expected: known.next, first }, 'the log of a partition begins anew');
      consumer.revoked(numberOf(partition));
    }
    const progress = newPartitionProgress(nextGeneration(), first);
    partitions.set(partition, progress);
    metrics.queueAssignments.inc({ region: region.region });
    consumer.assigned(numberOf(partition), progress.generation, first);
    return progress;
  }

  return async (partition, first, messages) => {
    const progress = assignmentOf(partition, first);
    const records: TracedRecord[] = [];
    for (const message of messages) {
      const offset = Number(message.offset);
      const event = decode(message);
      if (!('reason' in event)) {
        noteHanded(progress, offset);
        const traceparent = traceparentIn(message.headers);
        records.push(traceparent === undefined ? { offset, event } : { offset, event, traceparent });
        continue;
      }
      const aside = setAside(progress, offset);
      deadLetters.write({ ...source, partition }, message, event, () => {
        noteSafe(progress, aside);
        finish(partition, progress, progress.handedFinished);
      });
    }
    metrics.queueConsumed.inc({ region: region.region }, messages.length);
    const waited = metrics.queueWaitSeconds.labels({ region: region.region });
    for (const { timestamp } of messages) waited.observe(Math.max(0, Date.now() - Number(timestamp)) / 1_000);
    if (records.length > 0) consumer.records(numberOf(partition), progress.generation, records);
    await deadLetters.room();
  };
}
