import { DEFAULT_LIMITS, type Limits, settleBudget } from '../core/contract/limits.ts';
import type { Dispatcher, Pause } from './engine/engine.ts';
import type { Judge } from './oracles/judge.ts';
import { judgeScenario } from './oracles/judge-scenario.ts';
import type { RunOptions, RunResult, RunSetting, Verdict } from './run-result.ts';
import type { Scenario } from './scenario.ts';
import { beginRun } from './world/begin-run.ts';
import { eventLine } from './world/describe-event.ts';
import { servedDevices } from './world/served-devices.ts';
import { TracingDispatcher } from './world/tracing-dispatcher.ts';
import { World } from './world/world.ts';

const DEFAULT_MAX_EVENTS = 5_000_000;
const DEFAULT_LAST_EVENTS = 32;
/** A run that makes progress for ever is given up after this many budgets. */
const MOST_BUDGETS = 20;
/** How often the liveness phase looks whether the run may end, within the stretch of quiet that it waits for. */
const LOOKS = 8;

type Crash = RunResult['crash'];

/**
 * Runs a scenario to its verdict: the safety phase with its ops and faults, then the heal, then until nobody who is
 * served waits for anything and nothing has moved for a while. Never yields, and never throws for what happens inside.
 */
export function runScenario(scenario: Scenario, options: RunOptions = {}): RunResult {
  const limits: Limits = { ...DEFAULT_LIMITS, ...scenario.knobs.limits };
  const resolved: RunSetting = { scenario, limits };
  const judge = options.judge === 'nobody' ? undefined : (options.judge ?? judgeScenario)(resolved);
  const world = new World({
    scenario,
    limits,
    judge,
    maxEvents: options.maxEvents ?? DEFAULT_MAX_EVENTS,
    recentEvents: options.lastEvents ?? DEFAULT_LAST_EVENTS,
  });
  const dispatcher =
    options.trace === undefined && options.hashes === undefined
      ? world
      : new TracingDispatcher(world, options);
  let pause: Pause = 'stopped';
  let crash: Crash;
  try {
    pause = runPhases(world, judge, dispatcher);
  } catch (error) {
    crash = crashOf(world, error);
  }
  return resultOf(world, resolved, pause, crash);
}

function runPhases(world: World, judge: Judge | undefined, dispatcher: Dispatcher): Pause {
  const { engine, observers, scenario } = world;
  beginRun(world);
  const pause = engine.runUntil(scenario.knobs.safetyMicros, dispatcher);
  if (pause !== 'time') return pause;
  heal(world);
  return engine.stopped ? 'stopped' : converge(world, judge, dispatcher, observers.lastProgress);
}

function heal(world: World): void {
  world.faults.heal();
  for (const device of world.devices) {
    device.switchedOn = true;
    device.start();
  }
  world.observers.healed(servedDevices(world).map((device) => device.deviceId));
}

/** Runs until everything that is owed is there and quiet has lasted, or a budget that progress resets ran out. */
function converge(world: World, judge: Judge | undefined, dispatcher: Dispatcher, healedAt: number): Pause {
  const { engine, observers, limits } = world;
  const stretch = quietStretch(limits);
  const budget = Math.max(stretch, settleBudget(limits));
  const slice = Math.max(1, Math.floor(stretch / LOOKS));
  for (;;) {
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

function crashOf(world: World, error: unknown): Crash {
  const last = world.engine.recent.list().at(-1);
  const node = last === undefined ? 'setup' : world.nameOf(last.target);
  if (!(error instanceof Error)) return { node, message: String(error), stack: '' };
  return { node, message: `${error.name}: ${error.message}`, stack: error.stack ?? '' };
}

function resultOf(world: World, resolved: RunSetting, pause: Pause, crash: Crash): RunResult {
  const { engine, observers } = world;
  const { violation } = observers;
  let verdict: Verdict = violation?.phase ?? 'pass';
  if (crash !== undefined) verdict = 'crash';
  else if (violation === undefined && pause === 'budget') verdict = 'budget';
  return {
    verdict,
    violation,
    crash,
    hash: engine.hash.text,
    events: engine.events,
    simulatedMicros: engine.now,
    probes: world.probes.counts,
    lastEvents:
      verdict === 'pass' ? [] : engine.recent.list().map((event) => eventLine(world, event.time, event)),
    resolved,
  };
}
