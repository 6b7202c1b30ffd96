import type { Limits } from '../../core/contract/limits.ts';
import { Draws } from '../engine/draws.ts';
import { faultKind } from '../faults/fault-kinds.ts';
import type { Fault, Scenario } from '../scenario.ts';
import { servedDevices } from '../world/served-devices.ts';
import { World } from '../world/world.ts';

/** Runs in which something stays broken for ever, per mille of those that have what may. */
const STAYS = 450;
/** Each of the faults that may, and each of those that only make everything slower or odder. */
const EACH = { fault: 700, ofEngines: 150 };
/** Subsets drawn until one leaves somebody who can be served. */
const TRIES = 4;

/**
 * Lets a part of the faults stay when everything else heals: the harder half of convergence, since whoever can still be
 * served must be, whatever the rest does. A choice that serves nobody would demand nothing, and is drawn again.
 */
export function drawStaying(draws: Draws, scenario: Scenario, limits: Limits): readonly Fault[] {
  const { faults } = scenario;
  const may = faults.map((fault) => faultKind(fault.kind)?.mayBePermanent === true);
  if (!may.includes(true) || !draws.perMille(STAYS)) return faults;
  for (let i = 0; i < TRIES; i++) {
    const chosen = faults.map((fault, place) =>
      may[place]! && draws.perMille(shareOf(fault)) ? { ...fault, permanent: true } : fault,
    );
    const staying = chosen.filter((fault) => fault.permanent === true);
    if (staying.length > 0 && servesSomebody(scenario, limits, staying)) return chosen;
  }
  return faults;
}

function shareOf({ kind }: Fault): number {
  const classes = faultKind(kind)?.classes ?? [];
  return classes.some((c) => c === 'process' || c === 'network' || c === 'device')
    ? EACH.fault
    : EACH.ofEngines;
}

/** Begins the faults in a world in which nothing has happened yet, and looks who is left. */
function servesSomebody(scenario: Scenario, limits: Limits, staying: readonly Fault[]): boolean {
  const setting = { scenario: { ...scenario, ops: [], faults: [] }, limits, judge: undefined };
  const world = new World({ ...setting, maxEvents: 1, recentEvents: 0 });
  for (const fault of staying) faultKind(fault.kind)?.begin(world, fault, new Draws(scenario.seed, 0));
  for (const host of world.hosts) host.start();
  return servedDevices(world).length > 0;
}
