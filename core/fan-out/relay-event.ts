import type {
  CountReceiptsResult,
  DeleteOutboxResult,
  ReadMembersResult,
  ReadOutboxResult,
} from '../contract/store.ts';

/** What an outbox relay is told. Completions repeat the `call` of the effect that asked. */
export type RelayEvent =
  /** Also sent once at the start. */
  | { readonly kind: 'hint' }
  | { readonly kind: 'outbox'; readonly call: number; readonly result: ReadOutboxResult }
  | { readonly kind: 'members'; readonly call: number; readonly result: ReadMembersResult }
  | { readonly kind: 'counted'; readonly call: number; readonly result: CountReceiptsResult }
  /** `unknown`: perhaps published, perhaps in part. */
  | { readonly kind: 'published'; readonly call: number; readonly outcome: 'ok' | 'failed' | 'unknown' }
  | { readonly kind: 'deleted'; readonly call: number; readonly result: DeleteOutboxResult }
  | { readonly kind: 'wake'; readonly timer: RelayTimer };

export type RelayTimer = 'poll' | 'retry' | 'counts';
