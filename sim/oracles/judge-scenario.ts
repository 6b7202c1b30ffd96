import type { Limits } from '../../core/contract/limits.ts';
import { MILLISECOND } from '../../core/contract/time.ts';
import type { Scenario } from '../scenario.ts';
import { createJudge, type Judge } from './judge.ts';

/** PROTOCOL: delivery p99 under 500 ms when the recipient is online. */
const LATENCY_LIMIT = 500 * MILLISECOND;

/** A gateway waits longer for a device that polls: in a run with such devices, silence may last that long. */
export function withLongestSilence({ knobs }: Scenario, limits: Limits): Limits {
  const polls = knobs.transports?.some((transport) => transport !== 'websocket') ?? false;
  return polls ? { ...limits, silence: Math.max(limits.silence, limits.pollSilence) } : limits;
}

/**
 * The judge of a simulated run: all promises, commits seen at once. Latency is judged only where the load and the limits
 * are the modelled ones: a window of 1 or a mobile link makes a delivery slow by design.
 */
export function judgeScenario(setting: { readonly scenario: Scenario; readonly limits: Limits }): Judge {
  const { scenario } = setting;
  const { knobs } = scenario;
  const asModelled = Object.keys(knobs.limits).length === 0 && knobs.network !== 'mobile';
  return createJudge({
    limits: withLongestSilence(scenario, setting.limits),
    commitsSeen: 'at-once',
    latencyLimit: asModelled ? LATENCY_LIMIT : undefined,
    receiptsOwed: true,
  });
}
