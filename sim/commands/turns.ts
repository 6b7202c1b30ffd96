/** What waits for a role, in turns; its places are used again, so that the queues cost next to nothing of what is measured. */
export class Turns<Event> {
  #waiting: Event[] = [];
  #now: Event[] = [];
  #count = 0;

  push(event: Event): void {
    this.#waiting[this.#count++] = event;
  }

  /** Begins a turn with what waits. @returns how many there are, for `at`. */
  turn(): number {
    const count = this.#count;
    [this.#waiting, this.#now] = [this.#now, this.#waiting];
    this.#count = 0;
    return count;
  }

  at(index: number): Event {
    return this.#now[index]!;
  }
}
