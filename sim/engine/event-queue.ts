import { assert } from '../../core/contract/assert.ts';

/** Bits of the key below the time: the tie. */
const TIE_BITS = 12;
const TIE_SCALE = 1 << TIE_BITS;
/** Times stay below 2^40 µs (12 days), so that time and tie together are exact in a double. */
export const MAX_TIME = 2 ** 40;

/**
 * The place of an event: by time, then by tie.
 * @param time integer microseconds, below 2^40. @param tie 32 bits; the upper twelve order events of one time.
 * @throws InvariantError for a time that is no such integer.
 */
export function eventKey(time: number, tie: number): number {
  assert(time >= 0 && time < MAX_TIME && Math.floor(time) === time, 'event time is no valid integer');
  return time * TIE_SCALE + (tie >>> (32 - TIE_BITS));
}

/**
 * The pending events, ordered by (time, tie, sequence): a 4-ary heap over typed arrays, with the payload in slots that
 * are used again. Time and tie are one double, so that almost every comparison is one compare; the sequence decides
 * only between equal keys. popping loads the first event into the public fields: nothing is allocated per event.
 *
 * *Invariant:* heap position i holds the least key of its subtree; slots[0..size) and the free list partition the slots.
 */
export class EventQueue {
  size = 0;

  // The event that was popped last.
  time = 0;
  kind = 0;
  target = 0;
  detail = 0;
  payload: unknown = undefined;
  context: unknown = undefined;

  readonly #limit: number;
  #capacity: number;
  #keys: Float64Array;
  #slots: Int32Array;
  #sequences: Float64Array;
  #kinds: Int32Array;
  #targets: Int32Array;
  #details: Float64Array;
  readonly #payloads: unknown[] = [];
  readonly #contexts: unknown[] = [];
  #sequence = 0;

  /** @param limit most pending events; one more throws, since a queue that grows for ever is a bug of the run. */
  constructor(limit: number, capacity = 256) {
    this.#limit = limit;
    this.#capacity = capacity;
    this.#keys = new Float64Array(capacity);
    this.#slots = new Int32Array(capacity);
    this.#sequences = new Float64Array(capacity);
    this.#kinds = new Int32Array(capacity);
    this.#targets = new Int32Array(capacity);
    this.#details = new Float64Array(capacity);
    this.#freeFrom(0);
  }

  /** Loads and removes the first event, if its time is at most `until`. @returns whether there was one. */
  popUntil(until: number): boolean {
    // A key is below (until + 1) * scale exactly when its time is at most `until`.
    if (this.size === 0 || this.#keys[0]! >= (until + 1) * TIE_SCALE) return false;
    this.#pop();
    return true;
  }

  /** @param key from `eventKey`. @throws InvariantError when the queue is full. */
  push(key: number, kind: number, target: number, detail: number, payload: unknown, context: unknown): void {
    if (this.size === this.#capacity) this.#grow();
    // The free slot is the one behind the heap: pops put theirs there.
    const slot = this.#slots[this.size]!;
    this.#sequences[slot] = this.#sequence++;
    this.#kinds[slot] = kind;
    this.#targets[slot] = target;
    this.#details[slot] = detail;
    this.#payloads[slot] = payload;
    this.#contexts[slot] = context;
    this.#siftUp(this.size++, key, slot);
  }

  #pop(): void {
    const slot = this.#slots[0]!;
    this.time = Math.floor(this.#keys[0]! / TIE_SCALE);
    this.kind = this.#kinds[slot]!;
    this.target = this.#targets[slot]!;
    this.detail = this.#details[slot]!;
    this.payload = this.#payloads[slot];
    this.context = this.#contexts[slot];
    this.#payloads[slot] = undefined;
    this.#contexts[slot] = undefined;
    const last = --this.size;
    const lastKey = this.#keys[last]!;
    const lastSlot = this.#slots[last]!;
    this.#slots[last] = slot;
    if (last > 0) this.#siftDown(lastKey, lastSlot);
  }

  #siftUp(start: number, key: number, slot: number): void {
    const keys = this.#keys;
    const slots = this.#slots;
    let at = start;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const parentKey = keys[parent]!;
      // A new event has the highest sequence: on equal keys it stays below.
      if (parentKey <= key) break;
      keys[at] = parentKey;
      slots[at] = slots[parent]!;
      at = parent;
    }
    keys[at] = key;
    slots[at] = slot;
  }

  #siftDown(key: number, slot: number): void {
    const keys = this.#keys;
    const slots = this.#slots;
    const size = this.size;
    let at = 0;
    for (;;) {
      const first = (at << 2) + 1;
      if (first >= size) break;
      let least = first;
      let leastKey = keys[first]!;
      const end = Math.min(first + 4, size);
      for (let child = first + 1; child < end; child++) {
        const childKey = keys[child]!;
        if (childKey < leastKey || (childKey === leastKey && this.#isBefore(slots[child]!, slots[least]!))) {
          least = child;
          leastKey = childKey;
        }
      }
      if (key < leastKey || (key === leastKey && this.#isBefore(slot, slots[least]!))) break;
      keys[at] = leastKey;
      slots[at] = slots[least]!;
      at = least;
    }
    keys[at] = key;
    slots[at] = slot;
  }

  #isBefore(slot: number, other: number): boolean {
    return this.#sequences[slot]! < this.#sequences[other]!;
  }

  #freeFrom(first: number): void {
    for (let slot = first; slot < this.#capacity; slot++) {
      this.#slots[slot] = slot;
      this.#payloads.push(undefined);
      this.#contexts.push(undefined);
    }
  }

  #grow(): void {
    assert(this.#capacity < this.#limit, `more than ${this.#limit} pending events`);
    const old = this.#capacity;
    this.#capacity = Math.min(old * 2, this.#limit);
    this.#keys = grown(this.#keys, new Float64Array(this.#capacity));
    this.#slots = grown(this.#slots, new Int32Array(this.#capacity));
    this.#sequences = grown(this.#sequences, new Float64Array(this.#capacity));
    this.#kinds = grown(this.#kinds, new Int32Array(this.#capacity));
    this.#targets = grown(this.#targets, new Int32Array(this.#capacity));
    this.#details = grown(this.#details, new Float64Array(this.#capacity));
    this.#freeFrom(old);
  }
}

function grown<Typed extends Float64Array | Int32Array>(old: Typed, larger: Typed): Typed {
  larger.set(old);
  return larger;
}
