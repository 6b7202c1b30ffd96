import type { ConnectionOptions } from 'node:tls';
import type { ISocketFactory, Mechanism, SASLOptions } from 'kafkajs';
import type { Logger } from 'pino';
import type { Placement } from '../../../core/contract/placement.ts';
import type { Metrics } from '../../observability/metrics.ts';

/** The Kafka of one region. */
export interface KafkaRegion {
  readonly region: string;
  /** `host:port` of some of its brokers; they name the others. */
  readonly brokers: readonly string[];
  readonly ssl?: ConnectionOptions | boolean;
  readonly sasl?: SASLOptions | Mechanism;
  /** Makes the connections; for tests, which put a proxy between. */
  readonly connect?: ISocketFactory;
}

export interface KafkaQueueOptions {
  /** Name of this process in broker logs and groups. */
  readonly clientId: string;
  /** The region of this process: it produces into this region's Kafka only, and consumes what this region is home of. */
  readonly region: string;
  /** Every region's Kafka, this one's included. */
  readonly regions: readonly KafkaRegion[];
  readonly placement: Placement;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly tuning?: Partial<KafkaTuning>;
}

/** Durations are milliseconds, sizes are bytes. */
export interface KafkaTuning {
  /** Records of one request: kafkajs deals them to partitions in quadratic time, and 2,000 keep that below its other costs. */
  readonly batchRecords: number;
  /** Bytes of one request: all of it may be for one partition, whose batches brokers refuse beyond 1 MiB (`message.max.bytes`). */
  readonly batchBytes: number;
  /** Records that wait to be published, before `publish` answers `failed`. */
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  /** Records that wait before transient ones are dropped. */
  readonly busyRecords: number;
  /** From the first attempt of a request to `unknown` or `failed`, retries included. */
  readonly publishTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** A producer or consumer that failed is built anew after this long at first, and at most `rebuildMaxMs`; full jitter. */
  readonly rebuildBaseMs: number;
  readonly rebuildMaxMs: number;
  /** How long a consumer may be silent before its group goes on without it. At least the broker's `group.min.session.timeout.ms`. */
  readonly sessionTimeoutMs: number;
  /** How long the group waits for its members to come back in a rebalance. Nobody is held up: records are handed over at once. */
  readonly rebalanceTimeoutMs: number;
  readonly heartbeatMs: number;
  /** The broker holds a fetch that finds nothing this long; a paused consumer looks this often whether it goes on. */
  readonly fetchWaitMs: number;
  /** From a fetch that brought records to the next one: what is published meanwhile comes with it, of all partitions at once. */
  readonly fetchGapMs: number;
  readonly fetchBytes: number;
  readonly fetchPartitionBytes: number;
  /** Finished offsets are committed this often: what a crash repeats. */
  readonly commitMs: number;
  readonly lagMs: number;
  /** Poison records on their way to the dead-letter topic before consumption waits for them. */
  readonly deadLetters: number;
  /** How long `drain` waits for the last commit and for the group to be left. */
  readonly drainMs: number;
}

export const DEFAULT_KAFKA_TUNING: KafkaTuning = {
  batchRecords: 2_000,
  batchBytes: 768 * 1024,
  waitingRecords: 100_000,
  waitingBytes: 64 * 1024 * 1024,
  busyRecords: 4_000,
  publishTimeoutMs: 10_000,
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 6_000,
  rebuildBaseMs: 200,
  rebuildMaxMs: 5_000,
  sessionTimeoutMs: 10_000,
  rebalanceTimeoutMs: 10_000,
  heartbeatMs: 1_000,
  fetchWaitMs: 250,
  fetchGapMs: 15,
  fetchBytes: 2 * 1024 * 1024,
  fetchPartitionBytes: 256 * 1024,
  commitMs: 200,
  lagMs: 5_000,
  deadLetters: 1_000,
  drainMs: 3_000,
};

/** The group of workers that serve one home region; the same name in every region's Kafka. */
export const workerGroup = (home: string): string => `parley.workers.${home}`;
/** Events for recipients whose home is this region (docs/adr/0004-shards-and-regions.md). */
export const deliverTopic = (home: string): string => `parley.deliver.${home}`;
/** Records that no worker could read, with the reason and where they came from in their headers. */
export const DEAD_TOPIC = 'parley.dead';
