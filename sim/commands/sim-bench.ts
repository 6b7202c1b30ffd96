import { steadyLoad } from '../properties/steady-load.ts';
import { runScenario } from '../run.ts';
import { median } from './median.ts';

export interface SimBenchResult {
  /** Simulated events per second of one core, every promise watched. */
  readonly eventsPerSecond: number;
  /** The same with nobody watching: the difference is what judging costs. */
  readonly unjudgedEventsPerSecond: number;
  readonly events: number;
}

/** Some 40,000 events a run: twenty times what a seed of a campaign has. */
const SENDS = 500;

/**
 * What the simulator alone costs, on one core: a steady load without faults, run again and again.
 * @param options.seconds length of each of the two measurements, after a warm-up of the same work.
 * @param options.clock milliseconds, monotone.
 */
export function benchSim(options: {
  readonly seconds: number;
  readonly clock: () => number;
}): SimBenchResult {
  const judged = measure(options, (seed) => runScenario(steadyLoad(seed, SENDS)).events);
  const plain = measure(options, (seed) => runScenario(steadyLoad(seed, SENDS), { judge: 'nobody' }).events);
  return { eventsPerSecond: judged.rate, unjudgedEventsPerSecond: plain.rate, events: judged.events };
}

/** Runs until the code is compiled for good: some four seconds. */
const WARM_UP_RUNS = 96;

function measure(
  options: { readonly seconds: number; readonly clock: () => number },
  run: (seed: number) => number,
): { readonly rate: number; readonly events: number } {
  for (let seed = 0; seed < WARM_UP_RUNS; seed++) run(seed);
  // The median of runs: a machine that others share has slow moments.
  const rates: number[] = [];
  let events = 0;
  const end = options.clock() + options.seconds * 1_000;
  for (let seed = 0, begin = options.clock(); begin < end || seed === 0; seed++) {
    const count = run(seed);
    const now = options.clock();
    rates.push((count * 1_000) / (now - begin));
    events += count;
    begin = now;
  }
  return { rate: median(rates)!, events };
}
