import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './check-steps.ts';

/**
 * Adds up what really ran, from the files that the runs left in .cache, and prints `N passed, N failed` as
 * the last line: `node tools/count-results.ts check.json tests.json …`. A file that is missing or makes no
 * sense counts as one failure: a run that died has not passed.
 */
interface Count {
  readonly passed: number;
  readonly failed: number;
}

const numberAt = (value: object, key: string): number | undefined => {
  const found: unknown = Object.entries(value).find(([name]) => name === key)?.[1];
  return typeof found === 'number' ? found : undefined;
};

/** Reads our own `{ passed, failed }`, or what vitest's JSON reporter writes. */
const countIn = (text: string): Count | undefined => {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const passed = numberAt(value, 'passed') ?? numberAt(value, 'numPassedTests');
  let failed = numberAt(value, 'failed') ?? numberAt(value, 'numFailedTests');
  if (passed === undefined || failed === undefined) return undefined;
  // A test file that does not even load fails as a suite, without a test to its name.
  const suites = numberAt(value, 'numFailedTestSuites') ?? 0;
  if (failed === 0 && suites > 0) failed = suites;
  return { passed, failed };
};

const countOf = (name: string): Count => {
  const path = join(ROOT, '.cache', name);
  const count = existsSync(path) ? countIn(readFileSync(path, 'utf8')) : undefined;
  if (count === undefined) {
    console.log(`${name}: no results, counted as one failure`);
    return { passed: 0, failed: 1 };
  }
  console.log(`${name}: ${count.passed} ok, ${count.failed} not`);
  return count;
};

const counts = process.argv.slice(2).map(countOf);
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
