import { join } from 'node:path';

/**
 * What `make check` runs. The test that plants violations runs the same steps with the same arguments, so
 * that what it proves is what the check does.
 */
export interface Step {
  readonly name: string;
  readonly does: string;
  /** Arguments for Node; the first is a script, relative to the root of the repository. */
  readonly command: readonly [script: string, ...args: string[]];
  /** What to run when it has failed. */
  readonly next: string;
}

const again = (name: string): string => `fix what is listed, then: node tools/check.ts ${name}`;

/** The steps that judge the sources. */
export const SOURCE_STEPS = [
  {
    name: 'format',
    does: 'every file is formatted (Biome)',
    command: ['node_modules/@biomejs/biome/bin/biome', 'format', '--colors=off'],
    next: 'make fmt',
  },
  {
    name: 'lint',
    does: 'no lost promise, no any, no forgotten case (oxlint, type-aware)',
    command: ['node_modules/oxlint/bin/oxlint', '--format=unix'],
    next: again('lint'),
  },
  {
    name: 'types',
    does: 'strict types, and each folder sees its own world only (tsc)',
    command: ['node_modules/typescript/bin/tsc', '--build', '--pretty', 'false'],
    next: again('types'),
  },
  {
    name: 'layers',
    does: 'nobody imports upwards (tools/layer-rules.ts)',
    command: ['tools/source-rules.ts', 'layers'],
    next: again('layers'),
  },
  {
    name: 'purity',
    does: 'no clock, chance or promise in core/ and sim/ (tools/purity-rules.ts)',
    command: ['tools/source-rules.ts', 'purity'],
    next: again('purity'),
  },
  {
    name: 'dead-code',
    does: 'no file, export or dependency that nothing uses (knip)',
    command: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'],
    next: again('dead-code'),
  },
] as const satisfies readonly Step[];

/** The step that judges the others: each must report what was planted for it. */
export const PLANTED_STEP: Step = {
  name: 'planted',
  does: 'every check reports the violations planted for it (tools/planted-violations.test.ts)',
  command: ['node_modules/vitest/vitest.mjs', 'run', '--project', 'tools', 'planted-violations'],
  next: 'make test ONLY=planted-violations',
};

/** The root of the repository, from wherever a check is started. */
export const ROOT = join(import.meta.dirname, '..');
