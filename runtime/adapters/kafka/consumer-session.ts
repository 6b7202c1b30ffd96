import type { Consumer, EachBatchPayload, KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import type { CommitOffsets } from './commit-lane.ts';
import { createFetchPace } from './fetch-pace.ts';
import { createKafkaClient } from './kafka-client.ts';
import type { KafkaRegion, KafkaTuning } from './kafka-options.ts';
import { withDeadline } from './producer-session.ts';

/** One kafkajs consumer of one topic, until the first thing that it does not get over by itself. */
export interface ConsumerSession {
  /** Commits in the generation of the latest records, once: never repeated under a later one. Undefined before the first. */
  readonly commit: CommitOffsets | undefined;
  /** When a broker was last heard, on the clock of `performance.now()`. */
  readonly heardMs: number;
  pause(): void;
  resume(): void;
  /** Leaves the group, so that the others need not wait for its silence. */
  leave(): Promise<void>;
  /** Ends the connections at once. */
  cut(): void;
}

/** What a session tells; nothing any more after `failed`, `leave` or `cut`. */
export interface ConsumerSessionEvents {
  /** A member of the group with a new assignment; an earlier one is over. */
  joined(): void;
  /** The group deals its partitions anew; commits are still taken while this is called. */
  rebalancing(): void;
  /** The next records of a partition. The next batch comes when this has settled. */
  records(partition: number, first: number, messages: readonly KafkaMessage[]): Promise<void>;
  failed(error: Error): void;
}

export interface ConsumerSessionOptions {
  readonly region: KafkaRegion;
  readonly clientId: string;
  readonly groupId: string;
  readonly topic: string;
  readonly paused: boolean;
  readonly tuning: KafkaTuning;
  readonly log: Logger;
}

/** All that a fetch brings is handed over in one turn of the event loop: what follows from it goes out together. */
const PARTITIONS_AT_ONCE = 64;

export function openConsumerSession(
  options: ConsumerSessionOptions,
  events: ConsumerSessionEvents,
): ConsumerSession {
  const { region, topic, tuning } = options;
  const { kafka, sockets } = createKafkaClient(region, options);
  const consumer = kafka.consumer({
    groupId: options.groupId,
    sessionTimeout: tuning.sessionTimeoutMs,
    rebalanceTimeout: tuning.rebalanceTimeoutMs,
    heartbeatInterval: tuning.heartbeatMs,
    maxWaitTimeInMs: tuning.fetchWaitMs,
    maxBytes: tuning.fetchBytes,
    maxBytesPerPartition: tuning.fetchPartitionBytes,
    allowAutoTopicCreation: false,
    // Whoever holds the session opens another, with everything that belongs to it.
    retry: { retries: 3, restartOnFailure: () => Promise.resolve(false) },
  });
  const pace = createFetchPace(tuning.fetchGapMs);
  let heardMs = performance.now();
  let commit: CommitOffsets | undefined;
  let { paused } = options;
  let isRunning = false;
  let isOver = false;

  const heard = (): void => {
    heardMs = performance.now();
  };
  const tell = (what: () => void): void => {
    heard();
    if (!isOver) what();
  };
  consumer.on(consumer.events.FETCH, ({ payload }) => {
    heard();
    pace.fetched(payload.numberOfBatches);
  });
  consumer.on(consumer.events.HEARTBEAT, heard);
  consumer.on(consumer.events.GROUP_JOIN, () => tell(() => events.joined()));
  consumer.on(consumer.events.REBALANCING, () => tell(() => events.rebalancing()));
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error));

  function fail(error: Error): void {
    if (isOver) return;
    isOver = true;
    sockets.cut();
    events.failed(error);
  }

  async function run(): Promise<void> {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    if (isOver) return;
    const running = consumer.run({
      autoCommit: false,
      eachBatch: onBatch,
      partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
    });
    isRunning = true;
    if (paused) consumer.pause([{ topic }]);
    await running;
  }

  async function onBatch(payload: EachBatchPayload): Promise<void> {
    const { batch, commitOffsetsIfNecessary, heartbeat } = payload;
    heard();
    const first = batch.firstOffset();
    if (isOver || first === null) return;
    commit = (partitions) => commitOffsetsIfNecessary({ topics: [{ topic, partitions: [...partitions] }] });
    // Whoever takes long over it is still there; what a heartbeat answers is heard again by the one after the batch.
    const beat = setInterval(() => {
      heartbeat().catch(() => undefined);
    }, tuning.heartbeatMs);
    try {
      await events.records(batch.partition, Number(first), batch.messages);
      await pace.over;
    } finally {
      clearInterval(beat);
    }
  }

  /**
   * All partitions at once, as the core asks. What fills a worker is seldom one partition's: recipients are dealt by a hash, so
   * those behind a slow gateway or a registry that does not answer are in every partition alike, and pausing the fullest would
   * let the others fill up next. A flood to one recipient is one partition's; its pushes run side by side and each is given up
   * after `pushAttempts`, so that it holds the others up for that long at most.
   *
   * kafkajs throws when it is not running; `run` pauses a consumer that comes up later.
   */
  function setPaused(wanted: boolean, action: (consumer: Consumer) => void): void {
    paused = wanted;
    if (isRunning && !isOver) action(consumer);
  }

  run().catch((error: unknown) => fail(error as Error));
  return {
    get commit() {
      return isOver ? undefined : commit;
    },
    get heardMs() {
      return heardMs;
    },
    pause: () => setPaused(true, (running) => running.pause([{ topic }])),
    resume: () => setPaused(false, (running) => running.resume([{ topic }])),
    async leave() {
      if (isOver) return;
      isOver = true;
      await withDeadline(consumer.disconnect(), tuning.drainMs, 'leaving').catch(() => undefined);
      sockets.cut();
    },
    cut() {
      isOver = true;
      sockets.cut();
    },
  };
}
