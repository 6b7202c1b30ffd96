import { assert } from '../../core/contract/assert.ts';
import { keyedHash } from '../../core/contract/random.ts';
import { EventQueue, eventKey } from './event-queue.ts';
import { RecentEvents } from './recent-events.ts';
import { StateHash } from './state-hash.ts';

/** Carries out one event. @returns false when it turned out to be void (a replaced wake-up), so that it is not counted. */
export interface Dispatcher {
  dispatch(kind: number, target: number, detail: number, payload: unknown, context: unknown): boolean;
}

export interface EngineLimits {
  /** Events of one run. */
  readonly maxEvents: number;
  /** Pending events. */
  readonly maxPending: number;
  /** Events kept for a failure's report; 0: none, which is faster. */
  readonly recentEvents: number;
}

/** Why `runUntil` came back. */
export type Pause = 'time' | 'empty' | 'stopped' | 'budget';

/** Stream of the ties; any other stream of the run has another number. */
const TIE_STREAM = 0x7469_6573;

/**
 * Virtual time and the loop: one synchronous call, never a promise. Events of one time are ordered by a keyed hash of
 * (target, how many events that target got before), so that every order of equal times is explored, each replays, and a
 * removed event does not reorder what happens elsewhere.
 */
export class Engine {
  /** Integer microseconds since the start of the run. */
  now = 0;
  events = 0;
  readonly hash = new StateHash();
  readonly recent: RecentEvents | undefined;
  readonly #queue: EventQueue;
  readonly #limits: EngineLimits;
  readonly #tieSeed: number;
  /** Events scheduled so far, per target. */
  readonly #scheduled: Uint32Array;
  #stopped = false;

  /** @param targets number of targets; every `target` lies in [0, targets). */
  constructor(seed: number, targets: number, limits: EngineLimits) {
    this.#limits = limits;
    this.#queue = new EventQueue(limits.maxPending);
    this.#tieSeed = keyedHash(seed, TIE_STREAM, 0);
    this.#scheduled = new Uint32Array(targets);
    this.recent = limits.recentEvents === 0 ? undefined : new RecentEvents(limits.recentEvents);
  }

  /** Target of the event under way, or of the last one. */
  get target(): number {
    return this.#queue.target;
  }

  /** @param delay integer microseconds from now, 0 or more. @throws InvariantError for NaN and negative delays. */
  schedule(
    delay: number,
    kind: number,
    target: number,
    detail: number,
    payload: unknown,
    context: unknown,
  ): void {
    assert(delay >= 0, 'delay is negative or no number');
    this.scheduleAt(this.now + delay, kind, target, detail, payload, context);
  }

  /** @param time integer microseconds, not before now. */
  scheduleAt(
    time: number,
    kind: number,
    target: number,
    detail: number,
    payload: unknown,
    context: unknown,
  ): void {
    assert(time >= this.now, 'event lies in the past');
    const tie = keyedHash(this.#tieSeed, target, this.#scheduled[target]!++);
    this.#queue.push(eventKey(time, tie), kind, target, detail, payload, context);
  }

  /** Ends the run after the event under way. */
  stop(): void {
    this.#stopped = true;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Runs the events up to and including `until`; the time is `until` afterwards, unless the run ended before. */
  runUntil(until: number, dispatcher: Dispatcher): Pause {
    const queue = this.#queue;
    const { hash, recent } = this;
    while (!this.#stopped) {
      if (this.events >= this.#limits.maxEvents) return 'budget';
      if (!queue.popUntil(until)) {
        if (until === Number.POSITIVE_INFINITY) return 'empty';
        this.now = until;
        return 'time';
      }
      this.now = queue.time;
      this.events++;
      const { kind, target, detail, payload, context } = queue;
      hash.mix(queue.time);
      hash.mix((kind << 24) ^ target);
      recent?.push(queue.time, kind, target, detail, payload, context);
      if (!dispatcher.dispatch(kind, target, detail, payload, context)) this.events--;
    }
    return 'stopped';
  }
}
