import { keyedInt } from '../core/contract/random.ts';
import { type Limits, settleBudget } from '../core/contract/limits.ts';
import { faultKind } from './faults/fault-kinds.ts';
import type { DeviceId } from '../core/contract/ids.ts';
import type { Dispatcher, Pause } from './engine/engine.ts';
import type { Judge } from './oracles/judge.ts';
import { withLongestSilence } from './oracles/judge-scenario.ts';
import { beginRun } from './world/begin-run.ts';
import type { DeviceHost } from './world/device-host.ts';
import { heardDevices, servedDevices } from './world/served-devices.ts';
import { lookEverywhere, NEVER } from './world/looks.ts';
import type { World } from './world/world.ts';

/** A run that makes progress for ever is given up after this many budgets. */
const MOST_BUDGETS = 20;
/** How often the liveness phase looks whether the run may end, within the stretch of quiet that it waits for. */
const LOOKS = 8;

type Settling = Pick<Judge, 'settled'>;

/** Runs the world from its begin to its end. Throws what a machine throws. */
export function runPhases(world: World, judge: Settling | undefined, dispatcher: Dispatcher): Pause {
  const { engine, observers, scenario } = world;
  beginRun(world);
  const pause = engine.runUntil(scenario.knobs.safetyMicros, dispatcher);
  if (pause !== 'time') return pause;
  heal(world);
  return engine.stopped ? 'stopped' : converge(world, judge, dispatcher, observers.lastProgress);
}

const STAY_STREAM = 0x7374_6179;

function heal(world: World): void {
  world.faults.heal();
  world.balancer.notice();
  for (const device of world.devices) {
    // Whoever switched a device off may leave it so: who is gone must be seen to be gone.
    if (!device.switchedOn && keyedInt(world.seed, STAY_STREAM, device.index, 2) === 0) continue;
    device.switchedOn = true;
    device.start();
  }
  const served = servedDevices(world);
  if (world.scenario.faults.some((fault) => fault.permanent === true)) countServed(world, served.length);
  const names = (devices: readonly DeviceHost[]): DeviceId[] => devices.map(({ deviceId }) => deviceId);
  world.observers.healed(names(served), names(heardDevices(world, served)));
}

/** How much is left, where something stays broken for ever: what is owed to nobody proves nothing. */
function countServed({ devices, probes }: World, served: number): void {
  const wanted = devices.filter((device) => device.switchedOn).length;
  probes.hit(served === 0 ? 'heal.nobody-served' : served < wanted ? 'heal.some-served' : 'heal.all-served');
}

/** Runs until everything that is owed is there and quiet has lasted, or a budget that progress resets ran out. */
function converge(
  world: World,
  judge: Settling | undefined,
  dispatcher: Dispatcher,
  healedAt: number,
): Pause {
  const { engine, observers } = world;
  const limits = withLongestSilence(world.scenario, world.limits);
  const stretch = quietStretch(limits);
  // Where gateways never look at heads by themselves nobody waits for it.
  const looked = limits.headCheck < NEVER ? limits : { ...limits, headCheck: 0 };
  // Heads are read anew within twice the period.
  const lost = world.scenario.faults.some(({ kind }) => faultKind(kind)?.losesEvents === true);
  const budget = Math.max(stretch, settleBudget(looked) + (lost ? 2 * limits.headsReread : 0));
  const slice = Math.max(1, Math.floor(stretch / LOOKS));
  for (;;) {
    lookEverywhere(world);
    const pause = engine.runUntil(engine.now + slice, dispatcher);
    if (pause !== 'time') return pause;
    const still = engine.now - observers.lastProgress;
    const quiet = still >= stretch && (judge === undefined || judge.settled());
    if (!quiet && still < budget && engine.now - healedAt < MOST_BUDGETS * budget) continue;
    observers.end(quiet);
    return 'stopped';
  }
}

/** Long enough that a lease which nobody renews runs out, and that whoever watches hears of it. */
function quietStretch(limits: Limits): number {
  return limits.leaseTtl + limits.presenceRefresh + limits.presenceGrace + limits.heartbeat;
}
