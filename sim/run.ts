import { DEFAULT_LIMITS, type Limits } from '../core/contract/limits.ts';
import type { Pause } from './engine/engine.ts';
import { judgeScenario } from './oracles/judge-scenario.ts';
import type { RunOptions, RunResult, RunSetting, Verdict } from './run-result.ts';
import type { Scenario } from './scenario.ts';
import { lastEventsOf } from './last-events.ts';
import { runPhases } from './run-phases.ts';
import { TracingDispatcher } from './world/tracing-dispatcher.ts';
import { World } from './world/world.ts';

const DEFAULT_MAX_EVENTS = 5_000_000;
const DEFAULT_LAST_EVENTS = 32;

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
    recentEvents: 0,
    hashEffects: options.hashEffects === true,
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
  const result = resultOf(world, resolved, pause, crash);
  if (result.verdict === 'pass') return result;
  const wanted = options.lastEvents ?? DEFAULT_LAST_EVENTS;
  let lines: readonly string[] | undefined;
  return {
    ...result,
    get lastEvents() {
      lines ??= lastEventsOf(result, wanted);
      return lines;
    },
  };
}

function crashOf(world: World, error: unknown): Crash {
  const node = world.engine.events === 0 ? 'setup' : world.nameOf(world.engine.target);
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
    effectHash: world.effectHash?.text,
    events: engine.events,
    simulatedMicros: engine.now,
    probes: world.probes.counts,
    lastEvents: [],
    resolved,
  };
}
