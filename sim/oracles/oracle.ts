import type { Observation, Seen } from './observation.ts';

/** The promises of docs/architecture.md, by name. */
export type PromiseName =
  | 'no-acked-message-lost'
  | 'no-duplicate-shown'
  | 'order-per-chat'
  | 'delivered-set-is-membership'
  | 'changes-are-permitted'
  | 'receipts-monotone'
  | 'receipts-arrive'
  | 'counts-converge'
  | 'presence-converges'
  | 'cursors-never-regress'
  | 'bounded'
  | 'rates-are-fair'
  | 'polls-carry-all'
  | 'tokens-are-honoured'
  | 'leases-are-fenced'
  | 'converges'
  | 'latency';

/** A promise that somebody added to a test of his own (sim/properties/own-oracle.ts). */
export type OwnPromise = `own: ${string}`;

export interface Violation {
  readonly oracle: PromiseName | OwnPromise;
  /** `safety`: a bad thing happened; `liveness`: a good thing did not happen in time. */
  readonly phase: 'safety' | 'liveness';
  /** Microseconds. */
  readonly at: number;
  readonly expected: string;
  readonly observed: string;
  /** For liveness: which entities are stuck, and what each waits for. */
  readonly stuck: readonly string[];
}

/**
 * Judges one observation against the history before it, whose numbers have been resolved for it.
 * @param at microseconds. @returns the first violation seen, or undefined.
 */
type Watch<Kind extends Observation['kind']> = (o: Seen<Kind>, at: number) => Violation | undefined;

/** What is made of each kind of observation; nobody is called for what it ignores. Each function sees objects of one shape. */
export type Watches = {
  readonly [Kind in Observation['kind']]?: Watch<Kind>;
};

/** One promise, watched incrementally. Its state is its own; it is told of what it watches in order. */
export interface Oracle {
  readonly name: PromiseName;
  readonly on: Watches;
  /** Whether nothing that this promise speaks of is still on its way; absent: it waits for nothing. */
  settled?(): boolean;
}
