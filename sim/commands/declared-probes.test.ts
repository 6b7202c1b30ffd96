import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runChunk } from './campaign-work.ts';
import { declaredProbes, missedProbes, UNDRAWN } from './declared-probes.ts';

/** Folders whose code counts probes. */
const FOLDERS = ['world', 'faults', 'engine', 'workloads'];
/** Texts with two words or more, dots between them: `store.unknown.applied`. */
const NAME = /'([a-z][a-z-]*(?:\.[a-z][a-z-]*)+)'/g;

function namesInSources(): Set<string> {
  const found = new Set<string>();
  for (const folder of FOLDERS) {
    const path = join(import.meta.dirname, '..', folder);
    for (const name of readdirSync(path)) {
      if (!name.endsWith('.ts') || name.endsWith('.test.ts')) continue;
      for (const [, probe] of readFileSync(join(path, name), 'utf8').matchAll(NAME)) found.add(probe!);
    }
  }
  return found;
}

const DECLARED: ReadonlySet<string> = new Set([...declaredProbes('all'), ...UNDRAWN]);

describe('the declared probes', () => {
  it('are all that the sources name', () => {
    const undeclared = [...namesInSources(), 'heal.some-served'].filter((name) => !DECLARED.has(name));
    expect(undeclared).toEqual([]);
  });

  it('are all that runs reach, those with names made up of parts too', { timeout: 60_000 }, () => {
    const { probes } = runChunk({
      from: 7_000,
      count: 500,
      twice: false,
      hashes: false,
      stopAtFailure: false,
    });
    expect(Object.keys(probes).filter((name) => !DECLARED.has(name))).toEqual([]);
    // Runs are counted, not how often each of them came by.
    expect(Math.max(...Object.values(probes))).toBeLessThanOrEqual(500);
  });

  it('are asked for in full or as far as CI can be sure of them', () => {
    const ci = declaredProbes('ci');
    expect(ci.length).toBeGreaterThan(70);
    expect(declaredProbes('all')).toEqual(expect.arrayContaining([...ci]));
    const reached = new Map(ci.map((name) => [name, 1]));
    expect(missedProbes('ci', reached)).toEqual([]);
    reached.delete('session.claim.fenced');
    expect(missedProbes('ci', reached)).toEqual(['session.claim.fenced']);
    expect(missedProbes('all', reached)).toContain('session.push.fenced');
  });
});
