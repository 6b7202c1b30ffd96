import type { Consumer, EachBatchPayload } from 'kafkajs';
import type { Logger } from 'pino';
import type { QueueRecord } from '../../../core/delivery/delivery-event.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { QueueConsumer } from '../../ports/delivery-queue.ts';
import { createCommitLane, type CommitOffsets } from './commit-lane.ts';
import type { DeadLetters } from './dead-letters.ts';
import { createKafkaClient, type KafkaClient } from './kafka-client.ts';
import { deliverTopic, workerGroup, type KafkaRegion, type KafkaTuning } from './kafka-options.ts';
import {
  advance,
  newPartitionProgress,
  noteHanded,
  setAside,
  type PartitionProgress,
} from './partition-progress.ts';
import { withDeadline } from './producer-session.ts';
import { rebuildDelay } from './rebuild-delay.ts';
import { createRecordDecoder } from './record-codec.ts';

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
  /** Whether it is a member of its group, as far as it knows. */
  readonly joined: boolean;
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
}

/** One kafkajs consumer, until it fails. */
interface Membership {
  readonly client: KafkaClient;
  readonly consumer: Consumer;
  /** Commits in the generation of its latest assignment, once, without repeating it in a later one. */
  commit: CommitOffsets | undefined;
  /** When the broker was last heard. */
  heardMs: number;
}

export function createRegionConsumer(options: RegionConsumerOptions): RegionConsumer {
  const { region, home, consumer, numberOf, nextGeneration, deadLetters, tuning, metrics } = options;
  const topic = deliverTopic(home);
  const log = options.log.child({ queueRegion: region.region, topic });
  const source = { region: region.region, topic };
  const partitions = new Map<number, PartitionProgress>();
  const decode = createRecordDecoder();
  let current: Membership | undefined;
  let joined = false;
  let paused = false;
  let left = false;
  let failures = 0;
  let rebuildTimer: NodeJS.Timeout | undefined;

  const lane = createCommitLane({
    partitions,
    commit: () => current?.commit,
    everyMs: tuning.commitMs,
    metrics,
  });
  // kafkajs may wait for ever for a connection that hangs; who has not heard a broker for so long is built anew.
  const silenceMs = tuning.sessionTimeoutMs + tuning.rebalanceTimeoutMs + tuning.requestTimeoutMs;
  const watchdog = setInterval(() => {
    if (current !== undefined && performance.now() - current.heardMs > silenceMs)
      failed(current, new Error(`no broker was heard for ${silenceMs} ms`));
  }, 1_000);

  function start(): void {
    const client = createKafkaClient(region, options);
    const { sessionTimeoutMs, rebalanceTimeoutMs, heartbeatMs, fetchWaitMs } = tuning;
    const kafkaConsumer = client.kafka.consumer({
      groupId: workerGroup(home),
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      heartbeatInterval: heartbeatMs,
      maxWaitTimeInMs: fetchWaitMs,
      maxBytes: tuning.fetchBytes,
      maxBytesPerPartition: tuning.fetchPartitionBytes,
      allowAutoTopicCreation: false,
      // It is built anew here, with everything that belongs to it.
      retry: { retries: 3, restartOnFailure: () => Promise.resolve(false) },
    });
    const membership: Membership = {
      client,
      consumer: kafkaConsumer,
      commit: undefined,
      heardMs: performance.now(),
    };
    current = membership;
    listen(membership);
    run(membership).catch((error: unknown) => failed(membership, error as Error));
  }

  async function run(membership: Membership): Promise<void> {
    await membership.consumer.connect();
    await membership.consumer.subscribe({ topics: [topic], fromBeginning: true });
    if (current !== membership) return;
    const running = membership.consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: true,
      eachBatch: (payload) => onBatch(membership, payload),
    });
    if (paused) membership.consumer.pause([{ topic }]);
    await running;
  }

  function listen(membership: Membership): void {
    const { events, on } = membership.consumer;
    const heard = (): void => {
      membership.heardMs = performance.now();
    };
    on(events.FETCH, heard);
    on(events.HEARTBEAT, heard);
    on(events.GROUP_JOIN, () => {
      heard();
      if (current !== membership) return;
      revokeAll();
      failures = 0;
      joined = true;
      log.info('joined the group of workers');
    });
    on(events.REBALANCING, () => {
      heard();
      if (current !== membership) return;
      // The group still takes the commits of its members until each has come back.
      lane.flush();
      joined = false;
      revokeAll();
    });
    on(events.CRASH, ({ payload }) => failed(membership, payload.error));
  }

  function failed(membership: Membership, error: Error): void {
    if (current !== membership) return;
    abandon();
    membership.client.sockets.cut();
    failures++;
    metrics.queueRebuilds.inc({ part: 'consumer' });
    const delayMs = rebuildDelay(failures, tuning);
    log.warn({ err: error, failures, delayMs }, 'the consumer failed and is built anew');
    rebuildTimer = setTimeout(start, delayMs);
  }

  function abandon(): void {
    current = undefined;
    joined = false;
    revokeAll();
  }

  function revokeAll(): void {
    if (current !== undefined) current.commit = undefined;
    const revoked = [...partitions.keys()];
    partitions.clear();
    for (const partition of revoked) consumer.revoked(numberOf(partition));
  }

  /** Hands the records over and returns: the work goes on outside, and its end is committed when it comes. */
  async function onBatch(membership: Membership, payload: EachBatchPayload): Promise<void> {
    membership.heardMs = performance.now();
    if (current !== membership || left) return;
    const { batch, commitOffsetsIfNecessary } = payload;
    membership.commit = (offsets) =>
      commitOffsetsIfNecessary({ topics: [{ topic, partitions: [...offsets] }] });
    const { partition, messages } = batch;
    const first = Number(batch.firstOffset());
    const progress = assignmentOf(partition, first);
    const records: QueueRecord[] = [];
    for (const message of messages) {
      const offset = Number(message.offset);
      const event = decode(message);
      if (!('reason' in event)) {
        noteHanded(progress, offset);
        records.push({ offset, event });
        continue;
      }
      const aside = setAside(progress, offset);
      deadLetters.write({ ...source, partition }, message, event, () => {
        aside.safe = true;
        finish(partition, progress, progress.finished);
      });
    }
    metrics.queueConsumed.inc({ region: region.region }, messages.length);
    if (records.length > 0) consumer.records(numberOf(partition), progress.generation, records);
    await deadLetters.room();
  }

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
      whileRunning(current, (running) => running.pause([{ topic }]));
    },
    resume() {
      paused = false;
      whileRunning(current, (running) => running.resume([{ topic }]));
    },
    async leave() {
      if (left) return;
      left = true;
      clearInterval(watchdog);
      clearTimeout(rebuildTimer);
      const membership = current;
      if (membership !== undefined) {
        await withDeadline(lane.idle(), tuning.drainMs, 'the last commit').catch(() => undefined);
        abandon();
        await withDeadline(membership.consumer.disconnect(), tuning.drainMs, 'leaving').catch(
          () => undefined,
        );
        membership.client.sockets.cut();
      }
      lane.close();
    },
    get joined() {
      return joined;
    },
  };
}

/** kafkajs throws when it is not running yet, or not any more; `run` pauses a consumer that comes up later. */
function whileRunning(membership: Membership | undefined, action: (consumer: Consumer) => void): void {
  try {
    if (membership !== undefined) action(membership.consumer);
  } catch {
    // Not running: nothing to pause.
  }
}
