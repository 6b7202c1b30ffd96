import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { onePlacement } from '../../../core/contract/placement.ts';
import {
  createKafkaDeliveryQueue,
  type KafkaDeliveryQueue,
} from '../../adapters/kafka/delivery-queue-kafka.ts';
import {
  DEAD_TOPIC,
  deliverTopic,
  workerGroup,
  type KafkaTuning,
} from '../../adapters/kafka/kafka-options.ts';
import { quietRequestQueues } from '../../adapters/kafka/quiet-request-queue.ts';
import { FaultProxy } from '../../adapters/kafka/testing/fault-proxy.ts';
import type { TestBroker } from '../../adapters/kafka/testing/test-broker.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { PublishOutcome } from '../../ports/delivery-queue.ts';
import type { Driver, Observation } from '../script.ts';
import { createGroupWitness, until, type GroupWitness } from './group-witness.ts';
import { EngineMembers } from './engine-members.ts';
import { Arrivals } from './member-log.ts';
import { PARTITIONS } from './model-driver.ts';
import { offsetOf, partitionOf, publishInTransaction, writePoison } from './outsider.ts';
import { eventOf } from './sent-event.ts';
import type { PublishFault, QueueStep, Sent } from './queue-step.ts';

/** Sessions of a second, so that a script need not wait ten for a worker that is gone. */
const TUNING: Partial<KafkaTuning> = {
  sessionTimeoutMs: 1_000,
  rebalanceTimeoutMs: 2_000,
  heartbeatMs: 100,
  requestTimeoutMs: 5_000,
  publishTimeoutMs: 800,
  connectTimeoutMs: 500,
  rebuildBaseMs: 1,
  rebuildMaxMs: 20,
  fetchWaitMs: 50,
  commitMs: 5,
  lagMs: 3_600_000,
  drainMs: 2_000,
};

/** Batches beyond this are refused by the topics of the scripts. */
const BATCH_BYTES = 8_000;
/** Long enough to hand out whatever somebody is there for, and less than a session lasts. */
const SOON_MS = 400;

/** Kafka behind the adapter, with a topic and a group of the script's own; each worker has a line of its own to the broker. */
export class EngineDriver implements Driver<QueueStep> {
  readonly #broker: TestBroker;
  readonly #home: string;
  readonly #admin: Admin;
  readonly #witness: GroupWitness;
  readonly #publisher: KafkaDeliveryQueue;
  readonly #publisherProxy: FaultProxy;
  readonly #arrivals = new Arrivals();
  readonly #members: EngineMembers;
  /** Offsets at the end of each partition that nobody is handed: markers of transactions, and poison. */
  readonly #unread = new Map<number, number>();

  private constructor(broker: TestBroker, home: string, admin: Admin, proxy: FaultProxy) {
    this.#broker = broker;
    this.#home = home;
    this.#admin = admin;
    this.#publisherProxy = proxy;
    this.#witness = createGroupWitness(admin, deliverTopic(home), workerGroup(home));
    this.#publisher = this.#openQueue(proxy);
    this.#members = new EngineMembers(broker.address, this.#witness, this.#arrivals, (line) =>
      this.#openQueue(line),
    );
  }

  /** @param home a name that no other script has. */
  static async open(broker: TestBroker, home: string): Promise<EngineDriver> {
    quietRequestQueues();
    const kafka = new Kafka({
      clientId: 'conformance',
      brokers: [broker.address],
      logLevel: logLevel.NOTHING,
      retry: { retries: 8, initialRetryTime: 50, maxRetryTime: 500 },
    });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({
      topics: [
        {
          topic: deliverTopic(home),
          numPartitions: PARTITIONS,
          replicationFactor: 1,
          configEntries: [{ name: 'max.message.bytes', value: String(BATCH_BYTES) }],
        },
      ],
      waitForLeaders: false,
    });
    await admin.createTopics({
      topics: [{ topic: DEAD_TOPIC, numPartitions: 1, replicationFactor: 1 }],
      waitForLeaders: false,
    });
    await until('the topics to be known', () =>
      admin.fetchTopicMetadata({ topics: [deliverTopic(home), DEAD_TOPIC] }).then(
        () => true,
        () => false,
      ),
    );
    return new EngineDriver(broker, home, admin, await FaultProxy.start(broker.address));
  }

  async perform(step: QueueStep): Promise<Observation> {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.events, step.fault);
      case 'transaction':
        return this.#transaction(step.events);
      case 'poison':
        return this.#poison(step.user);
      case 'look':
        await this.#members.settle(this.#unread);
        return this.#arrivals.look(step.each, step.named ?? false);
      case 'look-prefixes':
        await this.#members.settle(this.#unread);
        return this.#arrivals.arePrefixes(step.sent);
      case 'crash-just-now':
        this.#members.crash(step.member);
        return undefined;
      case 'all-handed-already':
        await sleep(SOON_MS);
        return this.#arrivals.count === step.of;
      case 'move-leader':
      case 'append-unreplicated':
      case 'leader-dies':
      case 'records':
        throw new Error(`a step for two brokers: ${step.do}`);
      case 'lag':
        return this.#lag();
      case 'rebalance':
        return this.#members.rebalance();
      case 'move-commit':
        return this.#moveCommit(step.user, step.to);
      case 'expire':
        return this.#expire(step.below);
      case 'restart':
        await this.#broker.kill();
        await this.#broker.start();
        return undefined;
      default:
        return this.#members.perform(step);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#publisher.drain(), this.#members.close()]);
    await this.#publisherProxy.close();
    await this.#admin.deleteTopics({ topics: [deliverTopic(this.#home)] }).catch(() => undefined);
    await this.#admin.disconnect();
  }

  #openQueue(proxy: FaultProxy): KafkaDeliveryQueue {
    return createKafkaDeliveryQueue({
      clientId: 'conformance',
      region: this.#home,
      regions: [{ region: this.#home, brokers: [this.#broker.address], connect: proxy.connect }],
      placement: onePlacement(this.#home),
      metrics: createMetrics(false),
      log: createLogger('silent', 'conformance'),
      tuning: TUNING,
    });
  }

  // ---------------------------------------------------------------- publishing

  async #publish(events: readonly Sent[], fault: PublishFault | undefined): Promise<PublishOutcome> {
    const proxy = this.#publisherProxy;
    const send = (queue: KafkaDeliveryQueue): Promise<PublishOutcome> =>
      new Promise((resolve) => queue.publish(events.map(eventOf), resolve));
    switch (fault) {
      case 'request-lost':
        proxy.breakProduce('swallow');
        break;
      case 'ack-lost':
        proxy.breakProduce('mute');
        break;
      case 'request-cut':
        proxy.breakProduce('cut-before');
        break;
      case 'ack-cut':
        proxy.breakProduce('cut-after');
        break;
      case 'refused':
        proxy.cut();
        break;
      case 'twice':
        await send(this.#publisher);
        return this.#fromAnother(send);
      case 'too-large':
      case undefined:
        break;
    }
    const outcome = await send(this.#publisher);
    for (const [user] of events) this.#unread.delete(partitionOf(user));
    if (fault === 'refused') proxy.heal();
    // A producer that failed is not built anew before this.
    if (outcome !== 'ok') await sleep((TUNING.rebuildMaxMs ?? 0) + 10);
    return outcome;
  }

  async #fromAnother(send: (queue: KafkaDeliveryQueue) => Promise<PublishOutcome>): Promise<PublishOutcome> {
    const proxy = await FaultProxy.start(this.#broker.address);
    const another = this.#openQueue(proxy);
    try {
      return await send(another);
    } finally {
      await another.drain();
      await proxy.close();
    }
  }

  /** A commit is acknowledged before its marker is in every log: whatever is published next could come before it. */
  async #transaction(events: readonly Sent[]): Promise<undefined> {
    const expected = new Map(await this.#witness.ends());
    for (const partition of new Set(events.map(([user]) => partitionOf(user)))) {
      const written = events.filter(([user]) => partitionOf(user) === partition).length;
      expected.set(partition, (expected.get(partition) ?? 0) + written + 1);
      this.#unread.set(partition, 1);
    }
    await publishInTransaction(this.#broker.address, this.#home, events);
    await until('the marker of the transaction', async () =>
      [...(await this.#witness.ends())].every(([partition, end]) => end >= (expected.get(partition) ?? 0)),
    );
    return undefined;
  }

  async #poison(user: number): Promise<undefined> {
    await writePoison(this.#broker.address, this.#home, user);
    const partition = partitionOf(user);
    this.#unread.set(partition, (this.#unread.get(partition) ?? 0) + 1);
    return undefined;
  }

  // ---------------------------------------------------------------- offsets

  /** As often as it takes to read the same twice: commits are on their way. */
  async #lag(): Promise<number> {
    await this.#members.atRest();
    let last = -1;
    for (;;) {
      const lag = await this.#witness.lag();
      if (lag === last) return lag;
      last = lag;
      await sleep(150);
    }
  }

  async #moveCommit(user: number, to: Sent | 'beyond-end'): Promise<undefined> {
    const partition = partitionOf(user);
    const end = (await this.#witness.ends()).get(partition) ?? 0;
    const offset = to === 'beyond-end' ? end + 100 : await offsetOf(this.#broker.address, this.#home, to);
    await this.#admin.setOffsets({
      groupId: workerGroup(this.#home),
      topic: deliverTopic(this.#home),
      partitions: [{ partition, offset: String(offset) }],
    });
    return undefined;
  }

  async #expire(below: Sent): Promise<undefined> {
    const topic = deliverTopic(this.#home);
    const offset = String(await offsetOf(this.#broker.address, this.#home, below));
    // kafkajs deletes only where it knows the leader already.
    await this.#admin.fetchTopicOffsets(topic);
    await this.#admin.deleteTopicRecords({
      topic,
      partitions: [{ partition: partitionOf(below[0]), offset }],
    });
    return undefined;
  }
}
