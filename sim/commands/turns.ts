/** What waits for a role, in turns; its places are used again, so that the queues cost next to nothing of what is measured. */
export class Turns<Event> {
  #waiting: (Event | undefined)[] = [];
  #now: (Event | undefined)[] = [];
  #count = 0;

  push(event: Event): void {
    this.#waiting[this.#count++] = event;
  }

  /** Begins a turn with what waits. @returns how many there are, for `take`. */
  turn(): number {
    const count = this.#count;
    [this.#waiting, this.#now] = [this.#now, this.#waiting];
    this.#count = 0;
    return count;
  }

  /** What was taken is not kept: a queue that remembers would be what the garbage collector copies. */
  take(index: number): Event {
    const event = this.#now[index]!;
    this.#now[index] = undefined;
    return event;
  }
}
