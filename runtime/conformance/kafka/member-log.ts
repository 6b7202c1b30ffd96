import type { QueueRecord } from '../../../core/delivery/delivery-event.ts';
import { sentOf } from './sent-event.ts';
import type { MemberName, Sent } from './queue-step.ts';

interface InHand {
  readonly partition: number;
  readonly generation: number;
  readonly offset: number;
}

export interface CommitCall {
  readonly partition: number;
  readonly generation: number;
  /** Everything below is finished. */
  readonly offset: number;
}

/** What one worker was told, and what it may commit: the same for the model and for the engine. */
export class MemberLog {
  readonly name: MemberName;
  readonly #arrivals: Arrivals;
  readonly #generations = new Map<number, number>();
  #inHand: InHand[] = [];
  #stale: InHand[] = [];
  #first: CommitCall | undefined;

  constructor(name: MemberName, arrivals: Arrivals) {
    this.name = name;
    this.#arrivals = arrivals;
  }

  assigned(partition: number, generation: number): void {
    this.#generations.set(partition, generation);
  }

  revoked(partition: number): void {
    this.#generations.delete(partition);
    this.#stale.push(...this.#inHand.filter((each) => each.partition === partition));
    this.#inHand = this.#inHand.filter((each) => each.partition !== partition);
  }

  /** What was still under way when its assignment ended is nothing that the worker works on. */
  records(partition: number, generation: number, records: readonly QueueRecord[]): void {
    if (this.#generations.get(partition) !== generation) return;
    for (const { offset, event } of records) {
      this.#inHand.push({ partition, generation, offset });
      this.#arrivals.note(this.name, sentOf(event));
    }
  }

  /** What it has in hand belongs to assignments that are over, although it has not heard of it. */
  endAssignments(): void {
    this.#stale.push(...this.#inHand);
    this.#inHand = [];
    this.#generations.clear();
  }

  /** @param count of each partition; undefined: all. */
  finish(count: number | undefined): CommitCall[] {
    const calls: CommitCall[] = [];
    for (const partition of new Set(this.#inHand.map((each) => each.partition))) {
      const last = this.#inHand
        .filter((each) => each.partition === partition)
        .slice(0, count)
        .at(-1);
      if (last === undefined) continue;
      this.#inHand = this.#inHand.filter((each) => each.partition !== partition || each.offset > last.offset);
      calls.push({ partition, generation: last.generation, offset: last.offset + 1 });
    }
    this.#first ??= calls[0];
    return calls;
  }

  finishStale(): CommitCall[] {
    const stale = this.#stale;
    this.#stale = [];
    return stale.map(({ partition, generation, offset }) => ({ partition, generation, offset: offset + 1 }));
  }

  finishFirstAgain(): CommitCall[] {
    return this.#first === undefined ? [] : [this.#first];
  }
}

/** What all workers together were handed, in the order in which it came, since the last look. */
export class Arrivals {
  #since: (readonly [MemberName, Sent])[] = [];

  note(member: MemberName, sent: Sent): void {
    this.#since.push([member, sent]);
  }

  get count(): number {
    return this.#since.length;
  }

  /** Whether each user was handed the first of what was sent to him, in order, and nothing else. */
  arePrefixes(sent: readonly Sent[]): boolean {
    const handed = this.look(undefined, false);
    return Object.entries(handed).every(([user, seqs]) => {
      const mine = sent.filter(([to]) => `u_${to}` === user).map(([, seq]) => seq);
      return seqs.every((seq, i) => seq === mine[i]);
    });
  }

  /** Each user's events in order. */
  look(each: 'once' | undefined, named: boolean): { readonly [user: string]: readonly (number | string)[] } {
    const users: Record<string, (number | string)[]> = {};
    for (const [member, [user, seq]] of this.#since) {
      const list = (users[`u_${user}`] ??= []);
      const shown = named ? `${member}:${seq}` : seq;
      if (each !== 'once' || !list.includes(shown)) list.push(shown);
    }
    this.#since = [];
    // Which of two users' events came first says nothing.
    return Object.fromEntries(Object.entries(users).toSorted(([a], [b]) => a.localeCompare(b)));
  }
}
