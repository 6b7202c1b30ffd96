/**
 * What a conformance script does to a session registry. A device is written `u1.d2`: the second device of the first user.
 * Leases last 45 s unless a step says otherwise; the clock is the registry's own and stands still between steps.
 */
export type RegistryStep = LeaseStep | FaultStep | HintStep;

/** Who asks. Each has a connection of its own, so that each learns of a failover at a time of its own. */
export type Asker = 'gateway' | 'worker';

export type LeaseStep =
  /** `at`: the gateway of the session, by default the device's own. */
  | {
      readonly do: 'claim';
      readonly device: string;
      readonly epoch: number;
      readonly at?: string;
      readonly by?: Asker;
    }
  | {
      readonly do: 'renew';
      readonly entries: readonly (readonly [device: string, epoch: number])[];
      readonly by?: Asker;
    }
  | { readonly do: 'release'; readonly device: string; readonly epoch: number; readonly by?: Asker }
  /** Asked by the worker unless said otherwise, as pushes are. */
  | { readonly do: 'look-up'; readonly users: readonly string[]; readonly by?: Asker }
  | { readonly do: 'mark-missed'; readonly devices: readonly string[]; readonly by?: Asker }
  | { readonly do: 'presence'; readonly users: readonly string[]; readonly by?: Asker };

export type HintStep =
  /** By the gateway. */
  | { readonly do: 'watch'; readonly user: string }
  | { readonly do: 'unwatch'; readonly user: string }
  /** Shows how many hints of each user came since the last time. */
  | { readonly do: 'hints' }
  /** The connection that hints come by breaks, and comes back, silently. */
  | { readonly do: 'cut-hints' }
  | { readonly do: 'heal-hints' };

export type FaultStep =
  /** The registry's clock moves, also backwards; time that passes looks the same. */
  | { readonly do: 'clock'; readonly seconds: number }
  | { readonly do: 'flush' }
  /** The server is killed; it comes back with what the last `snapshot` wrote, or with nothing. */
  | { readonly do: 'crash' }
  | { readonly do: 'start' }
  | { readonly do: 'snapshot' }
  /** It answers nothing, and does later what it was asked meanwhile. */
  | { readonly do: 'freeze' }
  | { readonly do: 'thaw' }
  /** A replica follows from now on. */
  | { readonly do: 'replicate' }
  /** What is written from now on does not reach the replica. */
  | { readonly do: 'lag' }
  /** The replica takes office; the old primary goes on until whoever asks it has learned. */
  | { readonly do: 'fail-over' }
  | { readonly do: 'learn'; readonly by: Asker }
  /** The primary becomes a replica that keeps its data, or takes office again. */
  | { readonly do: 'demote' }
  | { readonly do: 'promote' }
  /** The primary may write only while a replica follows, and that one is cut off. */
  | { readonly do: 'isolate' }
  /** Memory is used up, and nothing may be evicted. */
  | { readonly do: 'fill' }
  | { readonly do: 'free' }
  /** Memory is used up, and what expires first is evicted: this user, who was away longest. */
  | { readonly do: 'evict'; readonly user: string }
  | { readonly do: 'lose-scripts' }
  /** From now on a cluster of three nodes is asked. The first step of its script. */
  | { readonly do: 'cluster' }
  /** The slot of this user moves to another node; `begin` leaves it half moved. */
  | { readonly do: 'move-slot'; readonly user: string; readonly until: 'begin' | 'end' }
  /** The node of this user is killed, and its replica elected. */
  | { readonly do: 'kill-node'; readonly user: string };
