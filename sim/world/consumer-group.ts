import type { DeliveryQueueNode } from './delivery-queue.ts';
import type { WorkerHost } from './worker-host.ts';
import type { World } from './world.ts';

/**
 * Which consumer has which partition. A consumer that is dead, paused or cut off for too long is left out; the others get
 * its partitions, from the committed offset on, while it may still be working on them: its later commits are void.
 */
export class ConsumerGroup {
  readonly #world: World;
  readonly #queue: DeliveryQueueNode;
  readonly #workers: readonly WorkerHost[];
  #members: readonly WorkerHost[] = [];
  /** Incarnation of each member when it joined. */
  #incarnations: readonly number[] = [];
  /** Somebody left since the last dealing. */
  #hasLeft = false;
  #generation = 0;
  /** Which dealing of the partitions is in force. */
  #turn = 0;

  constructor(world: World, queue: DeliveryQueueNode, workers: readonly WorkerHost[]) {
    this.#world = world;
    this.#queue = queue;
    this.#workers = workers;
  }

  /**
   * Looks who is there. Nothing is dealt anew while a member is silent and its session may still go on: a process that died,
   * and even one that is back already, is waited for. @param timedOut the silence before this look was long enough.
   */
  check(timedOut: boolean): void {
    const heard = this.#workers.filter((worker) => this.#isHeard(worker));
    const there = this.#members.filter(
      (member, i) => member.incarnation === this.#incarnations[i] && heard.includes(member),
    );
    if (there.length < this.#members.length && !timedOut) {
      this.#world.probes.hit('queue.member.waited-for');
      return;
    }
    if (this.#hasLeft || there.length < this.#members.length || there.length < heard.length)
      this.#rebalance(heard);
  }

  /** A worker that ends in order says so: nobody waits for it. */
  left(worker: WorkerHost): void {
    const at = this.#members.indexOf(worker);
    if (at < 0) return;
    this.#members = this.#members.filter((_, i) => i !== at);
    this.#incarnations = this.#incarnations.filter((_, i) => i !== at);
    this.#hasLeft = true;
  }

  /** Deals the partitions anew although nobody came or went. @param move whether they change hands. */
  rebalance(move: boolean): void {
    if (!move) this.#turn--;
    this.#rebalance(this.#workers.filter((worker) => this.#isHeard(worker)));
  }

  #isHeard(worker: WorkerHost): boolean {
    if (!worker.up || worker.paused) return false;
    const { network } = this.#world;
    const { index } = this.#queue;
    return network.state(worker.index, index) === 'open' && network.state(index, worker.index) === 'open';
  }

  #rebalance(members: readonly WorkerHost[]): void {
    const { probes } = this.#world;
    this.#generation++;
    this.#turn++;
    this.#hasLeft = false;
    this.#members = members;
    this.#incarnations = members.map((member) => member.incarnation);
    for (const partition of this.#queue.partitions) {
      // Another dealing each time, so that partitions really move.
      const owner = members[(partition.number + this.#turn) % Math.max(1, members.length)];
      const old = partition.owner;
      if (old?.up === true)
        this.#world.sendFromEngine(this.#queue.index, old, { kind: 'revoked', partition: partition.number });
      partition.owner = owner;
      partition.generation = this.#generation;
      if (partition.rewind() > 0) probes.hit('queue.rebalance.in-flight');
      if (owner === undefined) continue;
      this.#world.sendFromEngine(this.#queue.index, owner, {
        kind: 'assigned',
        partition: partition.number,
        generation: this.#generation,
        offset: partition.committed,
      });
      this.#queue.schedulePoll(partition);
    }
  }
}
