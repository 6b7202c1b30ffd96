import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin, type ISocketFactory } from 'kafkajs';
import { onePlacement } from '../../../core/contract/placement.ts';
import {
  createKafkaDeliveryQueue,
  type KafkaDeliveryQueue,
} from '../../adapters/kafka/delivery-queue-kafka.ts';
import { createGuardedSockets } from '../../adapters/kafka/guarded-sockets.ts';
import { deliverTopic } from '../../adapters/kafka/kafka-options.ts';
import { quietRequestQueues } from '../../adapters/kafka/quiet-request-queue.ts';
import type { TestBrokerPair } from '../../adapters/kafka/testing/test-broker-pair.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { PublishOutcome } from '../../ports/delivery-queue.ts';
import type { Driver, Observation } from '../script.ts';
import { until } from './group-witness.ts';
import { PARTITIONS } from './model-driver.ts';
import { appendFor, partitionOf, seqsOf } from './outsider.ts';
import { eventOf } from './sent-event.ts';
import type { QueueStep, Sent } from './queue-step.ts';

/** A fetch of the second broker that is under way when it stops would still bring it what comes: its longest wait is over then. */
const FETCHES_OVER_MS = 500;

/** A topic on two brokers behind the adapter. Carries out the steps of the scripts about replicas, and no others. */
export class ReplicaDriver implements Driver<QueueStep> {
  readonly #pair: TestBrokerPair;
  readonly #topic: string;
  readonly #admin: Admin;
  readonly #publisher: KafkaDeliveryQueue;
  /** Counts the produce requests that each broker gets of the publisher. */
  readonly #sockets = [createGuardedSockets(), createGuardedSockets()] as const;
  #leaderMoved = false;
  #firstIsDead = false;

  private constructor(pair: TestBrokerPair, home: string, admin: Admin) {
    this.#pair = pair;
    this.#topic = deliverTopic(home);
    this.#admin = admin;
    this.#publisher = createKafkaDeliveryQueue({
      clientId: 'conformance',
      region: home,
      regions: [{ region: home, brokers: pair.addresses, connect: (args) => this.#connect(args) }],
      placement: onePlacement(home),
      metrics: createMetrics(false),
      log: createLogger('silent', 'conformance'),
    });
  }

  /** @param home a name that no other script has. */
  static async open(pair: TestBrokerPair, home: string): Promise<ReplicaDriver> {
    quietRequestQueues();
    const kafka = new Kafka({
      clientId: 'conformance',
      brokers: [...pair.addresses],
      logLevel: logLevel.NOTHING,
      retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 500 },
    });
    const admin = kafka.admin();
    await admin.connect();
    const driver = new ReplicaDriver(pair, home, admin);
    await until('both brokers', async () => (await admin.describeCluster()).brokers.length === 2);
    const replicaAssignment = Array.from({ length: PARTITIONS }, (_, partition) => ({
      partition,
      replicas: [1, 2],
    }));
    await admin.createTopics({
      topics: [{ topic: deliverTopic(home), replicaAssignment, numPartitions: -1, replicationFactor: -1 }],
      waitForLeaders: false,
    });
    await until('the first to lead and the second to follow', () => driver.#isLedBy(1));
    return driver;
  }

  async perform(step: QueueStep): Promise<Observation> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.events);
      case 'move-leader':
        return this.#moveLeader(partitionOf(step.user));
      case 'append-unreplicated':
        return this.#appendUnreplicated(step.events, step.waitsFor);
      case 'leader-dies':
        return this.#killFirst();
      case 'records':
        return seqsOf(this.#living(), this.#topic, step.user);
      default:
        throw new Error(`no step for two brokers: ${step.do}`);
    }
  }

  async close(): Promise<void> {
    await this.#publisher.drain();
    this.#pair.second.signal('SIGCONT');
    if (this.#firstIsDead) await this.#pair.first.start();
    await this.#admin.disconnect();
  }

  #living(): readonly string[] {
    return this.#firstIsDead ? this.#pair.addresses.slice(1) : this.#pair.addresses;
  }

  #connect(args: Parameters<ISocketFactory>[0]): ReturnType<ISocketFactory> {
    const [first, second] = this.#sockets;
    return `${args.host}:${args.port}` === this.#pair.addresses[0]
      ? first.factory(args)
      : second.factory(args);
  }

  /** @throws Error when the leader has moved and the producer knew it: then nobody was told NOT_LEADER. */
  async #publish(events: readonly Sent[]): Promise<PublishOutcome> {
    const [first] = this.#sockets;
    const before = first.produceRequests;
    const outcome = await new Promise<PublishOutcome>((resolve) =>
      this.#publisher.publish(events.map(eventOf), resolve),
    );
    if (this.#leaderMoved && first.produceRequests === before)
      throw new Error('the producer did not ask the broker that leads no more');
    this.#leaderMoved = false;
    return outcome;
  }

  /** The second becomes the preferred leader, and the controller makes it the leader. */
  async #moveLeader(partition: number): Promise<undefined> {
    await this.#admin.alterPartitionReassignments({
      topics: [{ topic: this.#topic, partitionAssignment: [{ partition, replicas: [2, 1] }] }],
    });
    await until('the second to lead', () => this.#isLedBy(2, partition));
    this.#leaderMoved = true;
    return undefined;
  }

  async #appendUnreplicated(events: readonly Sent[], waitsFor: 'leader' | 'both'): Promise<Observation> {
    this.#pair.second.signal('SIGSTOP');
    await sleep(FETCHES_OVER_MS);
    return appendFor(this.#pair.addresses.slice(0, 1), this.#topic, events, waitsFor === 'leader' ? 1 : -1);
  }

  async #killFirst(): Promise<undefined> {
    this.#firstIsDead = true;
    await this.#pair.first.end();
    this.#pair.second.signal('SIGCONT');
    await until('the second to lead', () => this.#isLedBy(2));
    return undefined;
  }

  /** Whether all partitions, or the one, are led by a broker and, while both live, the other has all that it has. */
  async #isLedBy(broker: number, only?: number): Promise<boolean> {
    const known = await this.#admin.fetchTopicMetadata({ topics: [this.#topic] }).catch(() => undefined);
    const partitions = known?.topics[0]?.partitions ?? [];
    const looked = partitions.filter(({ partitionId }) => only === undefined || partitionId === only);
    const copies = this.#firstIsDead ? 1 : 2;
    return (
      looked.length === (only === undefined ? PARTITIONS : 1) &&
      looked.every(({ leader, isr }) => leader === broker && isr.length >= copies)
    );
  }
}
