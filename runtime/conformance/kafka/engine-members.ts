import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaDeliveryQueue } from '../../adapters/kafka/delivery-queue-kafka.ts';
import { FaultProxy } from '../../adapters/kafka/testing/fault-proxy.ts';
import type { QueueMembership } from '../../ports/delivery-queue.ts';
import { type GroupWitness, until } from './group-witness.ts';
import { type Arrivals, type CommitCall, MemberLog } from './member-log.ts';
import type { MemberName, QueueStep } from './queue-step.ts';

/** Nothing more can come, and this is how long it is looked whether something does. */
const QUIET_MS = 400;

type MemberStep = Exclude<
  Extract<QueueStep, { readonly member: MemberName }>,
  { readonly do: 'crash-just-now' }
>;

interface Member {
  readonly log: MemberLog;
  readonly queue: KafkaDeliveryQueue;
  readonly membership: QueueMembership;
  readonly proxy: FaultProxy;
  /** Where each of its partitions is: behind the last record that it was handed. */
  readonly positions: Map<number, number>;
  state: 'live' | 'paused' | 'frozen' | 'gone';
}

/** The workers of a script: what each of them does, and whether the group is at rest. */
export class EngineMembers {
  readonly #address: string;
  readonly #witness: GroupWitness;
  readonly #openQueue: (proxy: FaultProxy) => KafkaDeliveryQueue;
  readonly #arrivals: Arrivals;
  readonly #members: Member[] = [];

  /** @param address of the broker. @param openQueue by way of this line. */
  constructor(
    address: string,
    witness: GroupWitness,
    arrivals: Arrivals,
    openQueue: (proxy: FaultProxy) => KafkaDeliveryQueue,
  ) {
    this.#address = address;
    this.#witness = witness;
    this.#arrivals = arrivals;
    this.#openQueue = openQueue;
  }

  async perform(step: MemberStep): Promise<undefined> {
    if (step.do === 'join') return this.#join(step.member);
    const member = this.#present(step.member);
    if (member === undefined) return undefined;
    switch (step.do) {
      case 'leave':
        await member.queue.drain();
        member.state = 'gone';
        break;
      case 'crash':
        this.crash(step.member);
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
    await this.atRest();
    return undefined;
  }

  #present(name: MemberName): Member | undefined {
    return this.#members.find(({ log, state }) => log.name === name && state !== 'gone');
  }

  /** Nobody waits until it is noticed. */
  crash(name: MemberName): void {
    const member = this.#present(name);
    if (member === undefined) return;
    member.proxy.cut();
    member.state = 'gone';
  }

  async #join(name: MemberName): Promise<undefined> {
    const proxy = await FaultProxy.start(this.#address);
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
    await this.atRest();
    return undefined;
  }

  #commit({ membership }: Member, calls: readonly CommitCall[]): void {
    for (const { partition, generation, offset } of calls) membership.commit(partition, generation, offset);
  }

  /** Somebody comes and goes at once: the group deals its partitions twice. */
  async rebalance(): Promise<undefined> {
    const proxy = await FaultProxy.start(this.#address);
    const queue = this.#openQueue(proxy);
    queue.join({ assigned: () => undefined, revoked: () => undefined, records: () => undefined });
    await until(
      'the guest to join',
      async () => (await this.#witness.membersAtRest()) === this.#inGroup() + 1,
    );
    await queue.drain();
    await proxy.close();
    await this.atRest();
    return undefined;
  }

  /** Members that the broker hears. */
  #inGroup(): number {
    return this.#members.filter(({ state }) => state === 'live' || state === 'paused').length;
  }

  atRest(): Promise<void> {
    return until(
      'the group to come to rest',
      async () => (await this.#witness.membersAtRest()) === this.#inGroup(),
    );
  }

  /**
   * Waits until whoever is there has been handed all there is for him.
   * @param unread offsets at the end of each partition that nobody is handed.
   */
  async settle(unread: ReadonlyMap<number, number>): Promise<void> {
    await this.atRest();
    const live = this.#members.filter(({ state }) => state === 'live');
    const paused = this.#members.some(({ state }) => state === 'paused');
    if (live.length > 0 && !paused)
      await until('all records to be handed out', () => this.#allHanded(live, unread));
    // And nothing that should not come.
    await sleep(QUIET_MS);
  }

  async #allHanded(live: readonly Member[], unread: ReadonlyMap<number, number>): Promise<boolean> {
    const [ends, committed] = [await this.#witness.ends(), await this.#witness.committed()];
    return [...ends].every(([partition, end]) => {
      const owner = live.find(({ positions }) => positions.has(partition));
      const position = owner?.positions.get(partition) ?? committed.get(partition) ?? 0;
      return position >= end - (unread.get(partition) ?? 0);
    });
  }

  async close(): Promise<void> {
    for (const { proxy, state } of this.#members) if (state === 'frozen') proxy.thaw();
    await Promise.all(this.#members.map(({ queue }) => queue.drain()));
    await Promise.all(this.#members.map(({ proxy }) => proxy.close()));
  }
}
