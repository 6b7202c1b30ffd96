import type { MessageStore } from './message-store.ts';

/** What a relay asks of the store. */
export type OutboxStore = Pick<MessageStore, 'readOutbox' | 'readMembers' | 'countReceipts' | 'deleteOutbox'>;

/**
 * The outbox of one shard. One relay at a time works on it: two would publish everything twice, which recipients do not
 * notice and the queue does.
 */
export interface Outbox {
  readonly shard: string;
  readonly store: OutboxStore;
  /**
   * Competes for the outbox. `onOwned` and `onLost` alternate; after a loss it competes again. Both are called at any
   * time until `close` has resolved, which gives the outbox up.
   */
  compete(onOwned: () => void, onLost: () => void): OutboxOwnership;
}

export interface OutboxOwnership {
  readonly owned: boolean;
  close(): Promise<void>;
}
