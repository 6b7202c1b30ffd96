import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folders whose code counts probes. */
const FOLDERS = ['world', 'faults', 'engine', 'workloads'];

/**
 * The probes there are, as the sources of the simulator name them: a branch that nobody has reached is not in any list
 * that a run could write.
 */
export function allProbes(): readonly string[] {
  const found = new Set<string>();
  for (const folder of FOLDERS) {
    const path = join(import.meta.dirname, '..', folder);
    for (const name of readdirSync(path)) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      const text = readFileSync(join(path, name), 'utf8');
      for (const [, probe] of text.matchAll(/probes\s*\.hit\(\s*'([^']+)'/g)) found.add(probe!);
    }
  }
  return [...found].sort();
}

/** @returns the probes that a campaign has not reached, sorted. */
export function missedProbes(reached: ReadonlyMap<string, number>): readonly string[] {
  return allProbes().filter((name) => !reached.has(name));
}
