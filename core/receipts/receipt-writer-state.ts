import type { Limits } from '../contract/limits.ts';
import type { Placement } from '../contract/placement.ts';
import type { ReceiptWrite } from '../contract/store.ts';

/**
 * Receipts on their way to the store: one lane per shard, because shards fail one by one. A call about two of them would
 * end with the slower one and fail with the worse one, and a single silent shard would hold up the receipts of all.
 */
export interface ReceiptWriter {
  /** By index of the shard. */
  readonly lanes: readonly ReceiptLane[];
  /** What one lane may hold: its share of `receiptsPending`, so that a shard that is away leaves the others theirs. */
  readonly share: number;
  /** Receipts refused because too many waited; the next receipt, or the next RESUME, stands for them. */
  refused: number;
}

/**
 * The receipts of one shard. They are cumulative, so what waits for one (device, chat, type) is one write: a later receipt
 * replaces an earlier one that has not been written. One save is under way at a time; what arrives meanwhile goes with
 * the next (group commit). A save may be repeated: watermarks only move forward.
 */
export interface ReceiptLane {
  /** By `pendingKey`, in order of first arrival. *Invariant:* with `saving`, at most `share`. */
  pending: Map<string, ReceiptWrite>;
  saving: readonly ReceiptWrite[];
  /** The save under way; undefined unless `saving`. */
  call: number | undefined;
  phase: 'idle' | 'saving' | 'resting';
}

export function newReceiptWriter(placement: Placement, limits: Limits): ReceiptWriter {
  return {
    lanes: placement.shards.map(() => ({
      pending: new Map(),
      saving: [],
      call: undefined,
      phase: 'idle',
    })),
    share: Math.ceil(limits.receiptsPending / placement.shards.length),
    refused: 0,
  };
}
