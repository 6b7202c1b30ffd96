import type { DeliveryQueueNode } from './delivery-queue.ts';
import type { WorkerHost } from './worker-host.ts';
import type { World } from './world.ts';

/**
 * Which consumer has which partition. A consumer that is gone, paused or cut off for too long is left out; the others get
 * its partitions, from the committed offset on, while it may still be working on them: its later commits are void.
 */
export class ConsumerGroup {
  readonly #world: World;
  readonly #queue: DeliveryQueueNode;
  readonly #workers: readonly WorkerHost[];
  #members: readonly WorkerHost[] = [];
  /** Incarnation of each member when it joined. */
  #incarnations: readonly number[] = [];
  #generation = 0;
  /** Which dealing of the partitions is in force. */
  #turn = 0;

  constructor(world: World, queue: DeliveryQueueNode, workers: readonly WorkerHost[]) {
    this.#world = world;
    this.#queue = queue;
    this.#workers = workers;
  }

  /** Looks who is there. @param timedOut the silence before this look was long enough to be left out. */
  check(timedOut: boolean): void {
    const heard = this.#workers.filter((worker) => this.#isHeard(worker));
    const kept = this.#members.filter(
      (member, i) =>
        member.incarnation === this.#incarnations[i] && (heard.includes(member) || (member.up && !timedOut)),
    );
    if (kept.length !== this.#members.length || heard.some((worker) => !kept.includes(worker)))
      this.#rebalance(heard);
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
