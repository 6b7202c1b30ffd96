import { execFileSync } from 'node:child_process';
import { seedOfText } from '../../sim/properties/scenario-of-seed.ts';

/** Names the seed of the random scripts: a decimal number, or the hash of a commit. */
export const SEED_VARIABLE = 'PARLEY_CONFORMANCE_SEED';

/** fast-check takes 32 bits with a sign; `parley conformance --seed` none below zero. */
const SEED_MASK = 0x7fff_ffff;

/**
 * Other scripts with every commit, and the same ones whenever a commit is tested again: by its hash, as campaigns are. Sources
 * without a repository always draw the same.
 * @throws Error when the variable names neither a number nor a commit.
 */
export function randomSeed(): number {
  const text = process.env[SEED_VARIABLE] ?? headOfRepository();
  const seed = seedOfText(text);
  if (seed === undefined)
    throw new Error(`${SEED_VARIABLE}: ${JSON.stringify(text)} is no number and no commit`);
  return seed & SEED_MASK;
}

function headOfRepository(): string {
  try {
    const options = { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync('git', ['rev-parse', 'HEAD'], options).trim();
  } catch {
    return '1';
  }
}
