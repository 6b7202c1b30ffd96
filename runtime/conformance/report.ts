import type { Comparison, Suite } from './script.ts';

/** What a whole suite came to: a row of the table. */
export interface SuiteResult {
  readonly engine: string;
  readonly version: string;
  readonly scripts: number;
  readonly random: number;
  readonly equal: number;
  readonly seconds: number;
  readonly differing: readonly Comparison[];
}

export interface RunOptions {
  /** Random scripts besides the written ones. */
  readonly random: number;
  readonly seed: number;
  /** A part of the names of the scripts to run; undefined: all. */
  readonly only: string | undefined;
  readonly onResult: (engine: string, comparison: Comparison, story: string) => void;
}

/** Runs every script of a suite, one after the other: they share one engine. */
export async function runSuite(suite: Suite, options: RunOptions): Promise<SuiteResult> {
  const startedMs = performance.now();
  const { only, onResult } = options;
  const written = suite.scripts.filter(({ name }) => only === undefined || name.includes(only));
  const comparisons: Comparison[] = [];
  for (const { name, story } of written) {
    const comparison = await suite.run(name);
    onResult(suite.engine, comparison, story);
    comparisons.push(comparison);
  }
  const drawn = options.random > 0 ? await suite.runRandom(options.random, options.seed) : [];
  for (const comparison of drawn)
    if (!comparison.equal) onResult(suite.engine, comparison, 'drawn at random');
  const all = [...comparisons, ...drawn];
  return {
    engine: suite.engine,
    version: suite.version,
    scripts: written.length,
    random: drawn.length,
    equal: all.filter(({ equal }) => equal).length,
    seconds: (performance.now() - startedMs) / 1_000,
    differing: all.filter(({ equal }) => !equal),
  };
}

/** The conformance table: an engine a row. */
export function conformanceTable(results: readonly SuiteResult[]): string {
  const header = ['engine', 'version', 'scripts', 'random', 'equal', 'seconds', ''];
  const rows = results.map((result) => {
    const all = result.scripts + result.random;
    const verdict = result.equal === all ? '✓ all equal' : `✗ ${all - result.equal} differ`;
    return [
      result.engine,
      result.version,
      String(result.scripts),
      String(result.random),
      `${result.equal}/${all}`,
      result.seconds.toFixed(1),
      verdict,
    ];
  });
  const widths = header.map((title, i) =>
    Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
  );
  const isNumber = (i: number): boolean => i >= 2 && i <= 5;
  return [header, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A difference in words: the script (a random one with its seed), the step, and what each side showed. */
export function describeDifference({ script, difference }: Comparison): string {
  if (difference === undefined) return `${script}: equal`;
  const { at, step, model, engine } = difference;
  return [
    `${script}: step ${at} differs: ${JSON.stringify(step)}`,
    `  model:  ${JSON.stringify(model)}`,
    `  engine: ${JSON.stringify(engine)}`,
  ].join('\n');
}
