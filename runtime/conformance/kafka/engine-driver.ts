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
import type { PublishOutcome, QueueMembership } from '../../ports/delivery-queue.ts';
import type { Driver, Observation } from '../script.ts';
import { createGroupWitness, until, type GroupWitness } from './group-witness.ts';
import { Arrivals, MemberLog, type CommitCall } from './member-log.ts';
import { PARTITIONS } from './model-driver.ts';
import { offsetOf, partitionOf, publishInTransaction, writePoison } from './outsider.ts';
import { eventOf } from './sent-event.ts';
import type { MemberName, PublishFault, QueueStep, Sent } from './queue-step.ts';

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
/** Nothing more can come, and this is how long it is looked whether something does. */
const QUIET_MS = 400;

interface Member {
  readonly log: MemberLog;
  readonly queue: KafkaDeliveryQueue;
  readonly membership: QueueMembership;
  readonly proxy: FaultProxy;
  /** Where each of its partitions is: behind the last record that it was handed. */
  readonly positions: Map<number, number>;
  state: 'live' | 'paused' | 'frozen' | 'gone';
}

/** Kafka behind the adapter, with a topic and a group of the script's own; each worker has a line of its own to the broker. */
export class EngineDriver implements Driver<QueueStep> {
  readonly #broker: TestBroker;
  readonly #home: string;
  readonly #admin: Admin;
  readonly #witness: GroupWitness;
  readonly #publisher: KafkaDeliveryQueue;
  readonly #publisherProxy: FaultProxy;
  readonly #arrivals = new Arrivals();
  readonly #members: Member[] = [];
  /** Offsets at the end of each partition that nobody is handed. */
  readonly #unread = new Map<number, number>();

  private constructor(broker: TestBroker, home: string, admin: Admin, proxy: FaultProxy) {
    this.#broker = broker;
    this.#home = home;
    this.#admin = admin;
    this.#publisherProxy = proxy;
    this.#witness = createGroupWitness(admin, deliverTopic(home), workerGroup(home));
    this.#publisher = this.#openQueue(proxy);
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
        await this.#settle();
        return this.#arrivals.look(step.each, step.named ?? false);
      case 'look-prefixes':
        await this.#settle();
        return this.#arrivals.arePrefixes(step.sent);
      case 'crash-just-now':
        this.#crash(step.member);
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
        return this.#rebalance();
      case 'move-commit':
        return this.#moveCommit(step.user, step.to);
      case 'expire':
        return this.#expire(step.below);
      case 'restart':
        await this.#broker.kill();
        await this.#broker.start();
        return undefined;
      default:
        return this.#member(step);
    }
  }

  async close(): Promise<void> {
    for (const { proxy, state } of this.#members) if (state === 'frozen') proxy.thaw();
    await Promise.all([this.#publisher.drain(), ...this.#members.map(({ queue }) => queue.drain())]);
    await Promise.all([this.#publisherProxy.close(), ...this.#members.map(({ proxy }) => proxy.close())]);
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

  // ---------------------------------------------------------------- members

  async #member(
    step: Exclude<Extract<QueueStep, { readonly member: MemberName }>, { readonly do: 'crash-just-now' }>,
  ): Promise<undefined> {
    if (step.do === 'join') return this.#join(step.member);
    const member = this.#present(step.member);
    if (member === undefined) return undefined;
    switch (step.do) {
      case 'leave':
        await member.queue.drain();
        member.state = 'gone';
        break;
      case 'crash':
        this.#crash(step.member);
        break;
      case 'freeze':
        member.proxy.freeze();
        member.state = 'frozen';
        break;
      case 'thaw':
        // What it has in hand it was handed before it stood still.
        member.log.endAssignments();
        member.state = 'live';
        member.proxy.thaw();
        return undefined;
      case 'pause':
      case 'resume':
        member.state = step.do === 'pause' ? 'paused' : 'live';
        member.membership[step.do]();
        return undefined;
      case 'finish':
        this.#commit(member, member.log.finish(step.count));
        return undefined;
      case 'finish-stale':
        this.#commit(member, member.log.finishStale());
        return undefined;
      case 'finish-first-again':
        this.#commit(member, member.log.finishFirstAgain());
        return undefined;
    }
    await this.#atRest();
    return undefined;
  }

  #present(name: MemberName): Member | undefined {
    return this.#members.find(({ log, state }) => log.name === name && state !== 'gone');
  }

  #crash(name: MemberName): void {
    const member = this.#present(name);
    if (member === undefined) return;
    member.proxy.cut();
    member.state = 'gone';
  }

  async #join(name: MemberName): Promise<undefined> {
    const proxy = await FaultProxy.start(this.#broker.address);
    const queue = this.#openQueue(proxy);
    const log = new MemberLog(name, this.#arrivals);
    const positions = new Map<number, number>();
    const membership = queue.join({
      assigned(partition, generation, offset) {
        positions.set(partition, offset);
        log.assigned(partition, generation);
      },
      revoked(partition) {
        positions.delete(partition);
        log.revoked(partition);
      },
      records(partition, generation, records) {
        // A process that died or stands still does nothing, although it is a part of this one.
        if (member.state === 'gone' || member.state === 'frozen') return;
        positions.set(partition, (records.at(-1)?.offset ?? 0) + 1);
        log.records(partition, generation, records);
      },
    });
    const member: Member = { log, queue, membership, proxy, positions, state: 'live' };
    this.#members.push(member);
    await this.#atRest();
    return undefined;
  }

  #commit({ membership }: Member, calls: readonly CommitCall[]): void {
    for (const { partition, generation, offset } of calls) membership.commit(partition, generation, offset);
  }

  /** Somebody comes and goes at once: the group deals its partitions twice. */
  async #rebalance(): Promise<undefined> {
    const proxy = await FaultProxy.start(this.#broker.address);
    const queue = this.#openQueue(proxy);
    queue.join({ assigned: () => undefined, revoked: () => undefined, records: () => undefined });
    await until(
      'the guest to join',
      async () => (await this.#witness.membersAtRest()) === this.#inGroup() + 1,
    );
    await queue.drain();
    await proxy.close();
    await this.#atRest();
    return undefined;
  }

  /** Members that the broker hears. */
  #inGroup(): number {
    return this.#members.filter(({ state }) => state === 'live' || state === 'paused').length;
  }

  #atRest(): Promise<void> {
    return until(
      'the group to come to rest',
      async () => (await this.#witness.membersAtRest()) === this.#inGroup(),
    );
  }

  /** Waits until whoever is there has been handed all there is for him. */
  async #settle(): Promise<void> {
    await this.#atRest();
    const live = this.#members.filter(({ state }) => state === 'live');
    const paused = this.#members.some(({ state }) => state === 'paused');
    if (live.length > 0 && !paused) await until('all records to be handed out', () => this.#allHanded(live));
    // And nothing that should not come.
    await sleep(QUIET_MS);
  }

  async #allHanded(live: readonly Member[]): Promise<boolean> {
    const [ends, committed] = [await this.#witness.ends(), await this.#witness.committed()];
    return [...ends].every(([partition, end]) => {
      const owner = live.find(({ positions }) => positions.has(partition));
      const position = owner?.positions.get(partition) ?? committed.get(partition) ?? 0;
      // Markers of transactions and poison at the end are handed to nobody.
      return position >= end - (this.#unread.get(partition) ?? 0);
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
    await this.#atRest();
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
