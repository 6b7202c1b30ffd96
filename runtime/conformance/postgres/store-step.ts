/**
 * What a conformance script does to the message store. Ids are short: user `u1`, his device `u1.d2`, chat `c1`; a send is
 * written `u1:7`, the key 7 of user u1, and is the same send wherever it is written again; `u1:7!` is its key with other content.
 */
export type StoreStep = CallStep | FaultStep;

/** Who calls: each has connections of its own. `hasty` gives a statement up after 300 ms and an answer after 600. */
export const CALLERS = ['s1', 's2', 'hasty'] as const;
export type Caller = (typeof CALLERS)[number];

/**
 * What becomes of a write, as its caller learns or does not learn it:
 * - `lost-before`, `lost-after`, `mute`: the connection is lost before, or after, the COMMIT; or only the answer is.
 * - `late`: it is given up by its caller, and arrives when somebody says `release`.
 * - `open`: its COMMIT arrives when somebody says `release`; the caller waits.
 * - `behind`: it waits for the lock of an `open` one, or of a `block`.
 * - `killed`: PostgreSQL ends its session after the commit, before the answer.
 * - `waiting`: it is committed and waits for a replica for longer than its caller does.
 * - `refused`: it does not get what it needs.
 */
export type Fate =
  | 'lost-before'
  | 'lost-after'
  | 'mute'
  | 'late'
  | 'open'
  | 'behind'
  | 'killed'
  | 'waiting'
  | 'refused';

interface Called {
  readonly by?: Caller;
  readonly fate?: Fate;
  /** Does not wait for the answer: `settle` shows it under this name. With `open` and `behind`. */
  readonly as?: string;
}

/** `[head, version]`; left out: as the store has them, minus `behind`. */
interface Expectation {
  readonly at?: readonly [head: number, version: number];
  readonly stale?: number;
}

/** Pairs `[after, upTo]`; without `upTo` the span is open. */
export type SpanText = readonly [after: number, upTo?: number];

export interface ReceiptStep {
  readonly type: 'DELIVERED' | 'READ';
  readonly device: string;
  readonly chat: string;
  /** By seq, by the send's message id, or both. */
  readonly seq?: number;
  readonly send?: string;
  readonly to?: readonly string[];
  readonly counted?: boolean;
}

export type CallStep = Called &
  (
    | {
        readonly do: 'create';
        readonly chat: string;
        readonly kind?: 'direct' | 'group';
        readonly members: readonly string[];
      }
    | (Expectation & {
        readonly do: 'append';
        readonly chat: string;
        readonly sends: readonly string[];
        /** Left out: none. */
        readonly to?: readonly string[] | 'too many';
      })
    | { readonly do: 'load'; readonly chat: string; readonly sends?: readonly string[] }
    | (Expectation & {
        readonly do: 'member';
        readonly chat: string;
        readonly user: string;
        readonly role?: 'owner' | 'admin' | 'member';
        readonly spans: readonly SpanText[];
      })
    | { readonly do: 'open-device'; readonly device: string }
    | { readonly do: 'confirm-device'; readonly device: string }
    | { readonly do: 'list'; readonly device: string }
    | {
        readonly do: 'fetch';
        readonly user: string;
        readonly chat: string;
        readonly after?: number /** Of a reader who sees all. */;
        readonly bytes?: number;
      }
    | { readonly do: 'receipts'; readonly writes: readonly ReceiptStep[] }
    /** `fresh`: without the rows that earlier reads gave. */
    | { readonly do: 'outbox'; readonly fresh?: boolean }
    /** Deletes the rows that earlier reads gave. */
    | { readonly do: 'delete-outbox' }
    | {
        readonly do: 'members';
        readonly chat: string;
        readonly seq: number;
        readonly after?: string;
        readonly limit: number;
        readonly above?: number;
        readonly authors?: number;
      }
    | { readonly do: 'heads'; readonly chats: readonly string[] }
    | { readonly do: 'counts'; readonly chat: string; readonly from?: string; readonly limit: number }
    | { readonly do: 'together'; readonly steps: readonly CallStep[] }
  );

export type FaultStep =
  /** What is held arrives, in the order in which it was sent. */
  | { readonly do: 'release' }
  /** Waits for a call that was made `as` this, and shows its answer. */
  | { readonly do: 'settle'; readonly as: string }
  /** PostgreSQL is killed with -9 and started again. */
  | { readonly do: 'crash' }
  /** PostgreSQL ends every session of the callers. */
  | { readonly do: 'end-sessions' }
  /** A standby follows PostgreSQL: `synchronous`, and no commit ends without it; or by and by. */
  | { readonly do: 'follow'; readonly synchronous: boolean }
  /** The standby gets nothing any more. */
  | { readonly do: 'fall-behind' }
  /** PostgreSQL is killed with -9, and the standby takes its place. */
  | { readonly do: 'fail-over' }
  /** What all messages so far say is dropped, as when the last of their days is over. */
  | { readonly do: 'retention' }
  /** Somebody else holds a chat's row, until `unblock`. */
  | { readonly do: 'block'; readonly chat: string }
  | { readonly do: 'unblock' }
  /** s1 loses its connections, and PostgreSQL has none to give, until `relax`. */
  | { readonly do: 'exhaust' }
  | { readonly do: 'relax' }
  /** The next appends meet this error, so many times. */
  | { readonly do: 'conflicts'; readonly state: '40001' | '40P01'; readonly times: number }
  /** Two appends of one transaction, of s1, and somebody else who locks their chats the other way round. */
  | {
      readonly do: 'deadlock';
      readonly first: string;
      readonly second: string;
      readonly sends: readonly [string, string];
    }
  /** Commits wait for a replica that does not come, for as long as it does not. */
  | { readonly do: 'await-replica' }
  | { readonly do: 'forget-replica' };
