import type { Limits } from '../../core/contract/limits.ts';
import { DURATIONS } from '../properties/knob-choices.ts';
import type { Scenario } from '../scenario.ts';
import type { Attempt, Pass } from './attempt.ts';
import { removeItems } from './remove-items.ts';

/**
 * Sets limits, network and codec back to what they are by default: what stays is what the failure needs. Durations go back
 * together or not at all: with a heartbeat longer than the silence that ends a session, everything fails.
 */
export const resetKnobs: Pass = (scenario, attempt) => {
  let best = scenario;
  const names = Object.keys(best.knobs.limits) as (keyof Limits)[];
  const durations = names.filter((name) => DURATIONS.includes(name));
  const groups = names.filter((name) => !DURATIONS.includes(name)).map((name) => [name]);
  if (durations.length > 0) groups.push(durations);
  const withLimits = (kept: readonly (readonly (keyof Limits)[])[]): Scenario => {
    const limits = Object.fromEntries(
      kept.flat().map((name) => [name, best.knobs.limits[name]]),
    ) as Partial<Limits>;
    return { ...best, knobs: { ...best.knobs, limits } };
  };
  const needed = removeItems(groups, (kept) => attempt(withLimits(kept)));
  if (needed.length < groups.length) best = withLimits(needed);
  const local: Scenario = { ...best, knobs: { ...best.knobs, network: 'local' } };
  if (best.knobs.network !== 'local' && attempt(local)) best = local;
  const plain: Scenario = { ...best, knobs: { ...best.knobs, wire: false } };
  if (best.knobs.wire && attempt(plain)) best = plain;
  return plainTransports(best, attempt);
};

/** By WebSocket, if that fails too; else everybody in the same way, or fewer ways. */
function plainTransports(scenario: Scenario, attempt: Attempt): Scenario {
  const { transports, ...knobs } = scenario.knobs;
  if (transports === undefined) return scenario;
  const plain = { ...scenario, knobs };
  if (attempt(plain)) return plain;
  let best = scenario;
  const ways = [...new Set(transports)];
  const tries = [
    ...ways.map((way) => [way]),
    ...transports.flatMap((way, i) =>
      way === 'websocket' ? [] : [transports.map((other, j) => (i === j ? 'websocket' : other))],
    ),
  ];
  for (const candidate of tries) {
    if (JSON.stringify(candidate) === JSON.stringify(transports)) continue;
    const simpler: Scenario = { ...scenario, knobs: { ...knobs, transports: candidate } };
    if (!attempt(simpler)) continue;
    best = simpler;
    break;
  }
  return best;
}
