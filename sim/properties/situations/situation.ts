import type { Limits } from '../../../core/contract/limits.ts';
import type { Draws } from '../../engine/draws.ts';
import type { DeviceTransport, Fault, Op, Topology } from '../../scenario.ts';

/** What a situation is drawn for. */
export interface SituationSetting {
  /** The usual limits, with all durations scaled to the speed of the run. */
  readonly limits: Limits;
  /** Below it lie all operations, and all faults end. */
  readonly safetyMicros: number;
  /** When it happens, well within the safety phase: a second before its end, or more, in a run of full length. */
  readonly moment: number;
  /** What a frame takes from a device to its gateway, about: so much later the service hears of what is done at the moment. */
  readonly reach: number;
}

export interface DrawnSituation {
  readonly topology: Topology;
  /** The limits that it needs. */
  readonly limits: Partial<Record<keyof Limits, number>>;
  /** Missing: all by WebSocket. */
  readonly transports?: readonly DeviceTransport[];
  readonly ops: readonly Op[];
  readonly faults: readonly Fault[];
}

/** Draws what people, knobs and faults do together in it; what does not belong to it is left out. */
export type Situation = (draws: Draws, setting: SituationSetting) => DrawnSituation;
