import type { ReceiptWrite } from '../contract/store.ts';

/**
 * Receipts on their way to the store. They are cumulative, so what waits for one (device, chat, type) is one write: a
 * later receipt replaces an earlier one that has not been written. One save is under way at a time; what arrives
 * meanwhile goes with the next (group commit). A save may be repeated: watermarks only move forward.
 */
export interface ReceiptWriter {
  /** By `pendingKey`, in order of first arrival. *Invariant:* at most `receiptsPending`. */
  pending: Map<string, ReceiptWrite>;
  saving: readonly ReceiptWrite[];
  phase: 'idle' | 'saving' | 'resting';
  /** Receipts refused because too many waited; the next receipt, or the next RESUME, stands for them. */
  refused: number;
}

export function newReceiptWriter(): ReceiptWriter {
  return { pending: new Map(), saving: [], phase: 'idle', refused: 0 };
}
