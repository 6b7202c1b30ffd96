import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import type { Comparison, Driver, Observation, Rig, Script, Suite } from './script.ts';

/**
 * Runs one script on both sides, step by step, and stops at the first difference: after it the two are in different states.
 * A side that throws shows `{ threw }`, which equals only another side that throws the same message.
 */
export async function compare<Step>(script: Script<Step>, rig: Rig<Step>): Promise<Comparison> {
  const model = await rig.openModel();
  try {
    const engine = await rig.openEngine(script);
    try {
      return await compareSteps(script, model, engine);
    } finally {
      await engine.close();
    }
  } finally {
    await model.close();
  }
}

async function compareSteps<Step>(
  { name, steps }: Script<Step>,
  model: Driver<Step>,
  engine: Driver<Step>,
): Promise<Comparison> {
  for (const [at, step] of steps.entries()) {
    const [expected, actual] = await Promise.all([observe(model, step), observe(engine, step)]);
    if (isDeepStrictEqual(expected, actual)) continue;
    const difference = { at, step, model: expected, engine: actual };
    return { script: name, equal: false, difference, steps: at + 1 };
  }
  return { script: name, equal: true, difference: undefined, steps: steps.length };
}

async function observe<Step>(driver: Driver<Step>, step: Step): Promise<Observation> {
  try {
    return await driver.perform(step);
  } catch (error) {
    return { threw: error instanceof Error ? error.message : String(error) };
  }
}

export interface SuiteOptions<Step> {
  readonly engine: string;
  readonly version: string;
  readonly rig: Rig<Step>;
  readonly scripts: readonly Script<Step>[];
  /** Draws steps for random scripts; short ones, since each runs on the real engine. */
  readonly randomSteps: fc.Arbitrary<readonly Step[]>;
  readonly close: () => Promise<void>;
}

/** Fewer scripts than this say little about an engine; a list that was lost in a change must not pass for one that holds. */
const FEWEST_SCRIPTS = 25;

/** @throws Error when two scripts have one name (the second would never be asked for), or there are too few. */
export function createSuite<Step>(options: SuiteOptions<Step>): Suite {
  const { engine, version, rig, scripts, randomSteps, close } = options;
  const byName = new Map(scripts.map((script) => [script.name, script]));
  if (byName.size !== scripts.length) throw new Error(`${engine}: two scripts have the same name`);
  if (scripts.length < FEWEST_SCRIPTS)
    throw new Error(`${engine}: ${scripts.length} scripts are fewer than ${FEWEST_SCRIPTS}`);
  return {
    engine,
    version,
    scripts,
    close,
    run(name) {
      const script = byName.get(name);
      if (script === undefined) throw new Error(`${engine}: there is no script ${name}`);
      return compare(script, rig);
    },
    async runRandom(count, seed) {
      const comparisons: Comparison[] = [];
      let counterexample: Comparison | undefined;
      const property = fc.asyncProperty(randomSteps, async (steps) => {
        const name = `random ${seed}.${comparisons.length}`;
        const comparison = await compare({ name, story: 'drawn at random', steps }, rig);
        // While it shrinks, only what differs is of interest: the last one is the smallest.
        if (!comparison.equal) counterexample = comparison;
        else if (counterexample === undefined) comparisons.push(comparison);
        return comparison.equal;
      });
      const details = await fc.check(property, {
        numRuns: count,
        seed,
        endOnFailure: false,
        maxSkipsPerRun: 0,
      });
      // A side that could not be opened says nothing about either.
      if (counterexample === undefined && details.failed)
        throw new Error(`${engine}: a random script of seed ${seed} was not carried out`, {
          cause: details.errorInstance,
        });
      return counterexample === undefined ? comparisons : [...comparisons, counterexample];
    },
  };
}
