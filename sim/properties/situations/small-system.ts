import type { Draws } from '../../engine/draws.ts';
import type { Fault, Op, Topology } from '../../scenario.ts';
import type { SituationSetting } from './situation.ts';

/** One of each. @param groups members of each chat, the owner first. */
export function smallSystem(
  users: number,
  devices: number,
  groups: readonly (readonly number[])[],
): Topology {
  return {
    gateways: 1,
    services: 1,
    relays: 1,
    workers: 1,
    partitions: 1,
    users,
    devices,
    chats: groups.map((members) => ({ kind: 'group', members })),
  };
}

/** @returns 0 up to `count - 1`. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Somebody says something: a member, on any of his devices. */
export function says(draws: Draws, topology: Topology, chat: number, at: number): Op {
  const user = draws.pick(topology.chats[chat]!.members)!;
  const own = upTo(topology.devices).filter((device) => device % topology.users === user);
  return { at, op: 'send', device: draws.pick(own)!, chat, bytes: 1 + draws.int(20) };
}

/** Effects that the few steps of one message come to. */
const EFFECTS = 8;

/** A process dies at one of its next effects. It begins hardly before it hears of it: what else it does would use them up. */
export function crashesSoon(
  draws: Draws,
  { limits, moment, reach, safetyMicros }: SituationSetting,
  target: string,
): Fault {
  const at = Math.max(0, moment + reach - draws.int(2_000 + reach));
  const away = 10_000 + 2 * reach + draws.int(5 * limits.relayRetry);
  const amount = draws.int(EFFECTS);
  return { at, kind: 'crash-at-effect', target, for: Math.min(away, safetyMicros - at), amount };
}
