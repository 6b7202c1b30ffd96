import type { PromiseName } from '../oracles/oracle.ts';
import type { FaultClass, FaultKind } from './fault-kind.ts';

/**
 * Which promise holds under which fault, so that every alarm is real. `holds`: at every moment. `delayed`: nothing bad happens
 * either, but a good thing may take longer, and is owed when the fault and what it leaves behind are over; until then the
 * judge raises no alarm for its absence. `outside`: not promised, and not drawn.
 */
export type Standing = 'holds' | 'delayed' | 'outside';
export type Feasibility = Readonly<Record<PromiseName, Standing>>;

/** Nothing bad happens, whatever fails: this is what the core is for. */
const NEVER_BROKEN = {
  'no-acked-message-lost': 'holds',
  'no-duplicate-shown': 'holds',
  'order-per-chat': 'holds',
  'delivered-set-is-membership': 'holds',
  'changes-are-permitted': 'holds',
  'receipts-monotone': 'holds',
  'cursors-never-regress': 'holds',
  'leases-are-fenced': 'holds',
  bounded: 'holds',
  'polls-carry-all': 'holds',
} as const satisfies Partial<Feasibility>;

/** Something good may take longer: whoever does not answer cannot be told from whoever answers late. */
const MAY_WAIT: Feasibility = {
  ...NEVER_BROKEN,
  'counts-converge': 'delayed',
  // One that a fault takes is not said again: the next one of its user says more.
  'receipts-arrive': 'delayed',
  'presence-converges': 'delayed',
  // Retries that a fault caused spend the same tokens as sends; nobody is refused for a fault that is over.
  'rates-are-fair': 'delayed',
  // A clock that steps, and a process that stands still, see late that a token has run out.
  'tokens-are-honoured': 'delayed',
  converges: 'delayed',
  latency: 'delayed',
};

/** The classes of faults that the simulator draws. A new class or a new promise does not compile without its place here. */
const DRAWN: Readonly<Record<FaultClass, Feasibility>> = {
  process: MAY_WAIT,
  // Leases are judged by their holder's clock and epochs by the store: a wrong clock kicks somebody out, and loses nothing.
  clock: MAY_WAIT,
  network: MAY_WAIT,
  // Its own outbox and cursors survive it; what it may lose is under `device-loses-storage`.
  device: MAY_WAIT,
  // An outcome may be unknown and a read may fail; nothing that was committed is lost.
  store: MAY_WAIT,
  queue: MAY_WAIT,
  // May lose everything: presence and pushes are late, no message is lost.
  registry: MAY_WAIT,
  shape: MAY_WAIT,
};

/** The same while there is no fault, and under one that nobody may feel. */
const UNDISTURBED: Feasibility = {
  ...NEVER_BROKEN,
  'counts-converge': 'holds',
  'receipts-arrive': 'holds',
  'presence-converges': 'holds',
  'rates-are-fair': 'holds',
  'tokens-are-honoured': 'holds',
  converges: 'holds',
  latency: 'holds',
};

/** What is not drawn, because a promise would break by design: each is refused, or configured away, before a process starts. */
export type ExcludedFault =
  | 'store-loses-commits'
  | 'device-loses-storage'
  | 'queue-loses-acknowledged'
  | 'registry-stale-for-a-lease';

export interface Exclusion {
  readonly promises: Feasibility;
  /** What would have to happen, and who sees to it that it does not. */
  readonly why: string;
}

export const EXCLUDED: Readonly<Record<ExcludedFault, Exclusion>> = {
  'store-loses-commits': {
    promises: {
      ...MAY_WAIT,
      'no-acked-message-lost': 'outside',
      'no-duplicate-shown': 'outside',
      'order-per-chat': 'outside',
      'delivered-set-is-membership': 'outside',
      'changes-are-permitted': 'outside',
      'receipts-monotone': 'outside',
      'counts-converge': 'outside',
      'cursors-never-regress': 'outside',
      'leases-are-fenced': 'outside',
      converges: 'outside',
    },
    why: 'PostgreSQL loses what it has committed: refused with fsync, full_page_writes or synchronous_commit off; the doctor asks for a synchronous standby',
  },
  'device-loses-storage': {
    promises: { ...MAY_WAIT, 'no-duplicate-shown': 'outside', 'cursors-never-regress': 'outside' },
    why: 'a device forgets its outbox and what it has shown: it is a new device, which begins with new messages',
  },
  'queue-loses-acknowledged': {
    promises: { ...MAY_WAIT, converges: 'outside' },
    why: 'Kafka loses an acknowledged event: a device that stays connected hears of its message with the next one; fewer than two in-sync replicas are refused outside development',
  },
  'registry-stale-for-a-lease': {
    promises: { ...MAY_WAIT, 'presence-converges': 'outside', converges: 'outside' },
    why: 'an old Redis primary answers for longer than leaseTtl - 2 * leaseRenew: min-replicas-to-write silences it before (docs/gotchas.md)',
  },
};

const WORSE: Readonly<Record<Standing, number>> = { holds: 0, delayed: 1, outside: 2 };

/** What a kind of fault leaves of a promise: the worst of its classes, and nothing worse than `holds` where it must not be felt. */
export function standingOf(kind: Pick<FaultKind, 'classes' | 'unfelt'>, promise: PromiseName): Standing {
  if (kind.unfelt === true) return UNDISTURBED[promise];
  let worst: Standing = 'holds';
  for (const each of kind.classes) {
    const standing = DRAWN[each][promise];
    if (WORSE[standing] > WORSE[worst]) worst = standing;
  }
  return worst;
}

/** Every promise, in the order of the table. */
export const PROMISES = Object.keys(UNDISTURBED) as readonly PromiseName[];

/** @returns the promises whose good things may take longer while such a fault lasts. */
export function suspendedBy(kind: Pick<FaultKind, 'classes' | 'unfelt'>): readonly PromiseName[] {
  return PROMISES.filter((promise) => standingOf(kind, promise) !== 'holds');
}
