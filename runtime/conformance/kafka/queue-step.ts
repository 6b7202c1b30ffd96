/** [user, seq]: the event number `seq` to a user. All events of one user are in one partition. */
export type Sent = readonly [user: number, seq: number];

/**
 * What goes wrong with a publish. `-lost`: nothing is heard, as on a half-open connection. `-cut`: the connection breaks and
 * the producer asks again within its session. `refused`: nobody can be reached. `twice`: a second producer session sends
 * what the first has sent already. `too-large`: the broker refuses what is for one of the partitions.
 */
export type PublishFault =
  | 'request-lost'
  | 'ack-lost'
  | 'request-cut'
  | 'ack-cut'
  | 'refused'
  | 'twice'
  | 'too-large';

/** `A`, `B`, `C`: workers, each a consumer of the group. */
export type MemberName = 'A' | 'B' | 'C';

export type QueueStep =
  /** Shows the outcome. */
  | { readonly do: 'publish'; readonly events: readonly Sent[]; readonly fault?: PublishFault }
  | { readonly do: 'join' | 'leave'; readonly member: MemberName }
  /** The process is gone without a word. */
  | { readonly do: 'crash'; readonly member: MemberName }
  /** The same, and nobody waits until it is noticed. */
  | { readonly do: 'crash-just-now'; readonly member: MemberName }
  /** Shows whether as many events as this have been handed over since the last look, long before a session has run out. */
  | { readonly do: 'all-handed-already'; readonly of: number }
  /** It stands still, longer than its session lasts, or goes on. */
  | { readonly do: 'freeze' | 'thaw'; readonly member: MemberName }
  | { readonly do: 'pause' | 'resume'; readonly member: MemberName }
  /** Commits the next `count` (all) records of each partition that the member has in hand under its assignment. */
  | { readonly do: 'finish'; readonly member: MemberName; readonly count?: number }
  /** Commits all that it was handed under assignments that are over. */
  | { readonly do: 'finish-stale'; readonly member: MemberName }
  /** Commits again what it committed first, behind what it has committed since. */
  | { readonly do: 'finish-first-again'; readonly member: MemberName }
  /** The group deals its partitions anew although nobody came or went for good. */
  | { readonly do: 'rebalance' }
  /** Shows each user's events that were handed over since the last look: all in order, or each once; by name of the member. */
  | { readonly do: 'look'; readonly each?: 'once'; readonly named?: boolean }
  /** Shows whether each user was handed the first of these, in order: of a call that went wrong some part may be there. */
  | { readonly do: 'look-prefixes'; readonly sent: readonly Sent[] }
  /** Shows how many records are not committed. */
  | { readonly do: 'lag' }
  /** While nobody is a member: the committed offset is put before an event, or beyond the end. */
  | { readonly do: 'move-commit'; readonly to: Sent | 'beyond-end'; readonly user: number }
  /** Retention removes a user's partition below an event. */
  | { readonly do: 'expire'; readonly below: Sent }
  /** Somebody writes a record that nobody can read. */
  | { readonly do: 'poison'; readonly user: number }
  /** Events of a transaction; its marker takes an offset of its own. */
  | { readonly do: 'transaction'; readonly events: readonly Sent[] }
  /** The broker dies and comes back. */
  | { readonly do: 'restart' }
  // With two brokers, the first of which leads at the beginning:
  /** The second leads a user's partition from now on; nobody tells the producers. */
  | { readonly do: 'move-leader'; readonly user: number }
  /** The second stands still while a producer appends that waits for the leader alone, or for both. Shows the outcome. */
  | {
      readonly do: 'append-unreplicated';
      readonly events: readonly Sent[];
      readonly waitsFor: 'leader' | 'both';
    }
  /** The first dies, the second goes on and leads with what it has. */
  | { readonly do: 'leader-dies' }
  /** Shows which events to a user his partition holds. */
  | { readonly do: 'records'; readonly user: number };
