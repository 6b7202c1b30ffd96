import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import type { DeviceTransport, Fault, Op, Scenario, Topology } from '../scenario.ts';
import { World } from './world.ts';

const SECOND = 1_000_000;

/** Two of everything, three users with a device each, one chat of all of them. */
export const SMALL: Topology = {
  gateways: 2,
  services: 2,
  relays: 1,
  workers: 2,
  partitions: 4,
  users: 3,
  devices: 3,
  chats: [{ kind: 'group', members: [0, 1, 2] }],
};

export function smallScenario(
  parts: {
    readonly seed?: number;
    readonly ops?: readonly Op[];
    readonly faults?: readonly Fault[];
    readonly limits?: Partial<Limits>;
    readonly topology?: Partial<Topology>;
    readonly wire?: boolean;
    readonly transports?: readonly DeviceTransport[];
  } = {},
): Scenario {
  return {
    version: 1,
    seed: parts.seed ?? 1,
    topology: { ...SMALL, ...parts.topology },
    knobs: {
      limits: parts.limits ?? {},
      network: 'local',
      wire: parts.wire ?? false,
      ...(parts.transports === undefined ? {} : { transports: parts.transports }),
      safetyMicros: 10 * SECOND,
    },
    ops: parts.ops ?? [],
    faults: parts.faults ?? [],
  };
}

/** `count` sends, dealt to the devices in turn, one every `every` microseconds from 1 s on. */
export function sends(count: number, every: number): Op[] {
  return Array.from({ length: count }, (_, i) => ({
    at: SECOND + i * every,
    op: 'send',
    device: i % SMALL.devices,
    chat: 0,
    bytes: 24,
  }));
}

/** A world in which nothing has begun. */
export function idleWorld(scenario: Scenario = smallScenario()): World {
  return new World({
    scenario,
    limits: { ...DEFAULT_LIMITS, ...scenario.knobs.limits },
    judge: undefined,
    maxEvents: 1_000_000,
    recentEvents: 0,
  });
}
