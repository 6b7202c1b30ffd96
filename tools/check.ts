import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { PLANTED_STEP, ROOT, SOURCE_STEPS, type Step } from './check-steps.ts';
import { runStep, type StepResult } from './run-step.ts';

/**
 * `make check`: runs every step at once and prints a line for each as it ends, with what failed below.
 * `node tools/check.ts lint types` runs only those.
 */
const ALL: readonly Step[] = [PLANTED_STEP, ...SOURCE_STEPS];

const chosen = (names: readonly string[]): readonly Step[] => {
  const unknown = names.filter((name) => !ALL.some((step) => step.name === name));
  if (unknown.length > 0) {
    throw new Error(`no step ${unknown.join(', ')}; there are ${ALL.map((step) => step.name).join(', ')}`);
  }
  return names.length === 0 ? ALL : ALL.filter((step) => names.includes(step.name));
};

const print = ({ step, passed, seconds, output }: StepResult): void => {
  console.log(
    `${passed ? '✓' : '✗'} ${step.name.padEnd(9)} ${seconds.toFixed(1).padStart(5)} s  ${step.does}`,
  );
  if (!passed) console.log(`\n${output.trim().replaceAll(/^/gm, '    ')}\n\n    Next: ${step.next}\n`);
};

const startedMs = performance.now();
const results = await Promise.all(
  chosen(process.argv.slice(2)).map(async (step) => {
    const result = await runStep(step, ROOT);
    print(result);
    return result;
  }),
);

const failed = results.filter((result) => !result.passed).map((result) => result.step.name);
const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
// For .ci/run, which adds the steps up with the tests; the planted violations are tests and counted there.
const counted = results.filter((result) => result.step !== PLANTED_STEP);
mkdirSync(join(ROOT, '.cache'), { recursive: true });
writeFileSync(
  join(ROOT, '.cache', 'check.json'),
  JSON.stringify({
    passed: counted.filter((result) => result.passed).length,
    failed: counted.filter((result) => !result.passed).length,
  }),
);
if (failed.length === 0) console.log(`All ${results.length} steps hold, in ${seconds} s.`);
else
  console.log(`Of ${results.length} steps, ${failed.length} failed in ${seconds} s: ${failed.join(', ')}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
