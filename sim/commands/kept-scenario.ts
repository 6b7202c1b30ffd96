import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { replayMutant } from './replay-mutant.ts';
import { readScenarioFile } from './scenario-file.ts';

const FOLDER = join(import.meta.dirname, '../regressions');

/**
 * Looks among the kept scenarios for one that turns red with a planted bug: rare bugs are drawn by few seeds, and whoever has
 * met one keeps its scenario.
 * @returns the name of the file; undefined when there is none, or when it stays green.
 */
export async function keptScenarioOf(mutant: string): Promise<string | undefined> {
  for (const name of readdirSync(FOLDER).filter((file) => file.endsWith('.json'))) {
    const { red, scenario } = readScenarioFile(join(FOLDER, name));
    if (red !== mutant) continue;
    const [replay] = await replayMutant(mutant, [scenario]);
    if (/^(safety|liveness|crash)$/.test(replay?.failed?.verdict ?? '')) return name;
  }
  return undefined;
}
