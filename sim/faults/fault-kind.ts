import type { Draws } from '../engine/draws.ts';
import type { Fault, Topology } from '../scenario.ts';
import type { World } from '../world/world.ts';

/** Classes that a swarm switches on and off as a whole. `shape`: a kind that expands to several steps in an order that hurts. */
export const FAULT_CLASSES = [
  'process',
  'clock',
  'network',
  'device',
  'store',
  'queue',
  'registry',
  'shape',
] as const;
export type FaultClass = (typeof FAULT_CLASSES)[number];

/** What a fault's parameters are drawn for. */
export interface FaultSetting {
  readonly topology: Topology;
  /** Faults begin before this time and, unless permanent, are over by then. Microseconds. */
  readonly safetyMicros: number;
}

/** One kind of fault: how to draw it, say it in words, start it and stop it. One file each; `fault-kinds.ts` lists them. */
export interface FaultKind {
  readonly kind: string;
  readonly classes: readonly FaultClass[];
  /** Whether it may stay for ever: the others can still be served without its target. */
  readonly mayBePermanent: boolean;
  /** It must not be felt: everything is judged while it lasts as if there were no fault. What others may delay: `feasibility.ts`. */
  readonly unfelt?: true;
  /** Events of the delivery queue are gone for good: sessions find what they spoke of when they next read heads anyway. */
  readonly losesEvents?: true;
  /** What part of its length is over before it can hurt, per mille; 0 when missing. It is drawn to begin that much earlier. */
  readonly hurtsAfter?: number;
  /** Names of what it can strike in this topology; empty when it cannot. */
  targets(topology: Topology): readonly string[];
  /** One sentence without the time: "gateway-1 crashes for 800 ms". */
  describe(fault: Fault): string;
  /** @returns a fault below `safetyMicros`, or undefined when the topology has no target for it. */
  draw(draws: Draws, setting: FaultSetting): Fault | undefined;
  /** Called before the run that has such a fault: what must be kept from the start for it. */
  prepare?(world: World, fault: Fault): void;
  /**
   * Starts it. @param draws what it draws while it is under way. @returns what ends it: called once, at its end or when
   * everything heals, and never for a permanent fault.
   */
  begin(world: World, fault: Fault, draws: Draws): () => void;
}
