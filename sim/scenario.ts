import type { Limits } from '../core/contract/limits.ts';

/**
 * A simulated run as plain JSON: everything that decides it. The same scenario gives the same run, event for event, and
 * a failing one is what is shrunk, saved, replayed and kept as a regression. Times are integer microseconds of virtual
 * time; users, devices, chats and nodes are named by index so that a shrinker can drop the last ones.
 */
export interface Scenario {
  readonly version: 1;
  /** 32 bits unsigned: ties, latencies and every other draw of the run. */
  readonly seed: number;
  readonly topology: Topology;
  readonly knobs: Knobs;
  readonly ops: readonly Op[];
  readonly faults: readonly Fault[];
}

export interface Topology {
  /**
   * Regions with a store, a registry and a queue of their own; missing: one. Nodes are dealt to them in turn, so each role
   * needs as many nodes; users and chats have their home by their ids.
   */
  readonly regions?: 1 | 2;
  readonly gateways: number;
  readonly services: number;
  readonly relays: number;
  readonly workers: number;
  readonly partitions: number;
  readonly users: number;
  /** Devices are dealt to users in turn: device d belongs to user d % users. */
  readonly devices: number;
  readonly chats: readonly ChatPlan[];
}

/** `members` are user indices; the first is the owner. */
export interface ChatPlan {
  readonly kind: 'direct' | 'group';
  readonly members: readonly number[];
}

export interface Knobs {
  /** Overrides of DEFAULT_LIMITS: window 1, batch 1, timeouts a hundredth. */
  readonly limits: Partial<Limits>;
  /** Name of an integer latency table of the network model. */
  readonly network: 'local' | 'region' | 'mobile';
  /** Every frame goes through the wire codec (slower; finds what the codec would lose). */
  readonly wire: boolean;
  /** How devices connect, dealt to them in turn; missing: by WebSocket, all of them. */
  readonly transports?: readonly DeviceTransport[];
  /** Safety phase: ops and faults lie below this time. Then all faults but the permanent ones heal and the run must converge. */
  readonly safetyMicros: number;
}

/**
 * `auto`: by WebSocket, and by long polling where that does not get through. `proxied`: the same, behind a proxy that lets no
 * WebSocket through as long as the run lasts.
 */
export type DeviceTransport = 'websocket' | 'poll' | 'auto' | 'proxied';

export type Op =
  | {
      readonly at: number;
      readonly op: 'send';
      readonly device: number;
      readonly chat: number;
      readonly bytes: number;
    }
  | { readonly at: number; readonly op: 'read'; readonly device: number; readonly chat: number }
  | {
      readonly at: number;
      readonly op: 'open' | 'close' | 'typing';
      readonly device: number;
      readonly chat: number;
    }
  /** The user switches the device off (or on): the app ends, its disk stays. */
  | { readonly at: number; readonly op: 'offline' | 'online'; readonly device: number }
  /** Who is there already gets the role; 'member' when left out. */
  | {
      readonly at: number;
      readonly op: 'add-member';
      readonly by: number;
      readonly user: number;
      readonly chat: number;
      readonly role?: 'admin' | 'member';
    }
  | {
      readonly at: number;
      readonly op: 'remove-member';
      readonly by: number;
      readonly user: number;
      readonly chat: number;
    };

/**
 * One fault. `kind` names a file of sim/faults/, `target` a node ("gateway-1", "device-3", "store", "registry", "queue")
 * or a link ("device-3~gateway-0"); `for` is its length (0: an instant), `permanent` keeps it for ever after the safety
 * phase; `amount` is the kind's own parameter.
 */
export interface Fault {
  readonly at: number;
  readonly kind: string;
  readonly target: string;
  readonly for: number;
  readonly amount: number;
  readonly permanent?: boolean;
}
