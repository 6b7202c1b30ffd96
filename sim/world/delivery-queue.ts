import type { DeliveryEvent } from '../../core/contract/records.ts';
import { keyedHash, keyedInt } from '../../core/contract/random.ts';
import { MILLISECOND } from '../../core/contract/time.ts';
import type { DeliveryWorkerEffect } from '../../core/delivery/delivery-effect.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { MessageServiceEffect } from '../../core/sequencing/message-service-effect.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { Partition, partitionOf } from './delivery-log.ts';
import { GROUP_CHECK, QUEUE, QUEUE_POLL } from './event-kind.ts';
import { FaultDial } from './fault-dial.ts';
import type { Host } from './host.ts';
import { drawLatency } from './latency-table.ts';
import type { WorkerHost } from './worker-host.ts';
import type { World } from './world.ts';

export type QueueCall =
  | Extract<RelayEffect, { kind: 'publish' }>
  | Extract<MessageServiceEffect, { kind: 'publish-transient' }>
  | Extract<DeliveryWorkerEffect, { kind: 'commit' }>;

type Publish = Extract<RelayEffect, { kind: 'publish' }>;

const OUTCOME_STREAM = 0x7175_6575;
const PART_STREAM = 0x7061_7274;
const LAST_STREAM = 0x6c61_7374;
const BATCH_STREAM = 0x6261_7463;
const WORK_STREAM = 0x7177_6f72;
const HOLE_STREAM = 0x686f_6c65;

/** Records handed out at once. */
const POLL_RECORDS = 64;
/** The broker gathers this long before it hands out, so that a burst costs one event. */
const POLL_DELAY = 150;
/** How long a consumer may be silent before the group goes on without it. */
const SESSION_TIMEOUT = 600 * MILLISECOND;
/** A consumer that falls silent right after another is left out this much early, with it. */
const LOOKS_APART = 50 * MILLISECOND;

/**
 * One topic of the delivery queue: a partitioned log with one consumer group. Appended records are durable; what varies is
 * who knows. It takes calls of up to `publishEvents` events, which is what its port promises, and never a larger one.
 */
export class DeliveryQueueNode {
  readonly index: number;
  readonly partitions: readonly Partition[];
  readonly group: ConsumerGroup;
  /** Publishes whose outcome the producer never learns (nothing, a part, or all was appended), per mille. */
  readonly unknown = new FaultDial();
  /** Publishes refused without effect, per mille; 1,000: the queue is down. */
  readonly failing = new FaultDial();
  /** Publishes appended twice, per mille: a producer's retry in a new session. */
  readonly duplicating = new FaultDial();
  readonly #world: World;
  readonly #first: number;
  #calls = 0;
  #appends = 0;
  /** When the group looks next, and when for the next time at who has timed out. */
  #looksAt = 0;
  #timesOutAt = 0;

  /** @param first number of its first partition; `workers`: those that consume it. */
  constructor(
    world: World,
    index: number,
    first: number,
    partitions: number,
    workers: readonly WorkerHost[],
  ) {
    this.#world = world;
    this.index = index;
    this.#first = first;
    this.partitions = Array.from({ length: partitions }, (_, i) => new Partition(first + i));
    this.group = new ConsumerGroup(world, this, workers);
  }

  call(host: Host, call: QueueCall): void {
    const { network, engine, probes } = this.#world;
    if (network.isTroubled && network.state(host.index, this.index) !== 'open') {
      probes.hit('queue.request.lost');
      if (call.kind === 'publish')
        this.#answer(host, host.incarnation, call, 'unknown', this.#world.callTimeout);
      return;
    }
    const arrival = network.arrival(host.index, this.index, engine.now);
    engine.scheduleAt(arrival, QUEUE, this.index, host.incarnation, call, host);
  }

  arrived(call: QueueCall, host: Host, incarnation: number): void {
    switch (call.kind) {
      case 'publish':
        this.#publish(call, host, incarnation);
        return;
      case 'publish-transient':
        if (this.failing.value === 0) this.#append(call.events);
        return;
      case 'commit': {
        const partition = this.#partition(call.partition);
        if (partition.generation === call.generation) partition.commit(call.offset);
        else this.#world.probes.hit('queue.commit.fenced');
      }
    }
  }

  /** Hands out what a partition has next to whoever owns it. */
  poll(number: number): void {
    const partition = this.#partition(number);
    partition.polled = false;
    const { owner, generation } = partition;
    if (owner === undefined || owner.consumptionPaused || !partition.hasNext()) return;
    // On a closed way the consumer's fetch waits; it goes on when the way opens, or the group goes on without it.
    if (this.#world.network.state(this.index, owner.index) !== 'open') return;
    const records = partition.take(POLL_RECORDS);
    this.#world.sendFromEngine(this.index, owner, {
      kind: 'records',
      partition: number,
      generation,
      records,
    });
    if (partition.hasNext()) this.schedulePoll(partition);
  }

  pollAll(): void {
    for (const partition of this.partitions) this.schedulePoll(partition);
  }

  schedulePoll(partition: Partition): void {
    if (partition.polled || partition.owner === undefined || !partition.hasNext()) return;
    partition.polled = true;
    this.#world.engine.schedule(POLL_DELAY, QUEUE_POLL, this.index, partition.number, undefined, undefined);
  }

  /** A consumer came, went, fell silent or was heard again: the group looks, now and once its silence was too long. */
  membershipMayChange(): void {
    const { engine } = this.#world;
    // One look of each kind at a time is enough: a link that flaps would order thousands.
    if (this.#looksAt <= engine.now) {
      this.#looksAt = engine.now + MILLISECOND;
      engine.scheduleAt(this.#looksAt, GROUP_CHECK, this.index, 0, undefined, undefined);
    }
    const timeout = this.#world.paced(SESSION_TIMEOUT);
    if (this.#timesOutAt > engine.now + timeout - this.#world.paced(LOOKS_APART)) return;
    this.#timesOutAt = engine.now + timeout;
    engine.scheduleAt(this.#timesOutAt, GROUP_CHECK, this.index, 1, undefined, undefined);
  }

  #partition(number: number): Partition {
    return this.partitions[number - this.#first]!;
  }

  #publish(call: Publish, host: Host, incarnation: number): void {
    const { events } = call;
    const { network, seed, probes } = this.#world;
    const key = this.#calls++;
    const work = drawLatency(network.profile.commit, keyedHash(seed, WORK_STREAM, key));
    const delay = work + network.delay(this.index, host.index);
    const fate = this.#isHealthy() ? 1_000 : keyedInt(seed, OUTCOME_STREAM, key, 1_000);
    if (events.length > this.#world.limits.publishEvents) {
      // It holds no more than it owes, and says so each time: there is no later at which more would fit.
      this.#answer(host, incarnation, call, 'failed', delay);
    } else if (fate < this.failing.value) {
      probes.hit('queue.failed');
      this.#answer(host, incarnation, call, 'failed', delay);
    } else if (fate < this.unknown.value) {
      const appended = this.#partOf(events, key);
      probes.hit(appended.length === 0 ? 'queue.unknown.none' : 'queue.unknown.appended');
      this.#append(appended);
      this.#answer(host, incarnation, call, 'unknown', delay);
    } else {
      this.#append(events);
      if (fate < this.duplicating.value) {
        probes.hit('queue.duplicated');
        this.#append(events);
      }
      const lost = network.isTroubled && network.state(this.index, host.index) !== 'open';
      if (lost) this.#answer(host, incarnation, call, 'unknown', this.#world.callTimeout);
      else this.#answer(host, incarnation, call, 'ok', delay);
    }
  }

  /**
   * What of a publish was appended when nobody knows. It went out in requests, one after the other; of the last one each
   * partition took its batch or did not, so that a later event may be there without an earlier one of another recipient.
   */
  #partOf(events: readonly DeliveryEvent[], key: number): readonly DeliveryEvent[] {
    const { seed } = this.#world;
    const whole = keyedInt(seed, PART_STREAM, key, events.length + 1);
    const tried = whole + keyedInt(seed, LAST_STREAM, key, events.length - whole + 1);
    const took = keyedHash(seed, BATCH_STREAM, key);
    return events.filter((event, i) => {
      const partition = partitionOf(event.recipient, this.partitions.length);
      return i < whole || (i < tried && ((took >>> (partition % 32)) & 1) === 1);
    });
  }

  #isHealthy(): boolean {
    return this.failing.value === 0 && this.unknown.value === 0 && this.duplicating.value === 0;
  }

  #answer(
    host: Host,
    incarnation: number,
    call: Publish,
    outcome: 'ok' | 'failed' | 'unknown',
    delay: number,
  ): void {
    const completion = { kind: 'published', call: call.call, outcome };
    if (this.#world.calls.takePart(call, host, completion, delay)) return;
    this.#world.tellIncarnation(host, incarnation, completion, delay);
  }

  #append(events: readonly DeliveryEvent[]): void {
    const { partitions } = this;
    for (const event of events) {
      const partition = partitions[partitionOf(event.recipient, partitions.length)]!;
      const hole = keyedHash(this.#world.seed, HOLE_STREAM, this.#appends++) < 0x0800_0000 ? 1 : 0;
      partition.append(event, hole);
      this.schedulePoll(partition);
    }
  }
}
