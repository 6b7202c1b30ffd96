import { describe, expect, it } from 'vitest';
import { StateHash } from './engine/state-hash.ts';
import { scenarioOfSeed } from './properties/scenario-of-seed.ts';
import { runScenario } from './run.ts';

type Path = readonly (string | number)[];

function hashOf(data: unknown): string {
  const hash = new StateHash();
  hash.mixData(data);
  return hash.text;
}

/** One effect of each kind, frame, request and item that a few hundred runs produce. */
function samples(): Map<string, object> {
  const found = new Map<string, object>();
  for (let seed = 1; seed <= 150; seed++) {
    runScenario(scenarioOfSeed(seed), {
      judge: 'nobody',
      trace: {
        event({ effects }) {
          for (const effect of effects as readonly Record<string, Record<string, unknown>>[]) {
            const { frame, request, reply, push } = effect;
            const item = (push?.['item'] as Record<string, unknown> | undefined)?.['kind'];
            const parts = [effect['kind'], frame?.['frame'], request?.['kind'], reply?.['kind'], item];
            const name = [...parts.map(String), frame?.['deliveredCount'] === undefined ? '' : 'counts'].join(
              ' ',
            );
            if (!found.has(name)) found.set(name, effect);
          }
        },
      },
    });
  }
  return found;
}

/** Where numbers and texts lie in it, the names of what it is left out. */
function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value === 'number' || typeof value === 'string')
    return ['kind', 'frame'].includes(String(path.at(-1))) ? [] : [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => leavesOf(field, [...path, name]));
}

function changed(effect: object, path: Path): object {
  const copy = structuredClone(effect) as Record<string | number, unknown>;
  let at = copy;
  for (const name of path.slice(0, -1)) at = at[name] as typeof at;
  const last = path.at(-1)!;
  const value = at[last];
  at[last] = typeof value === 'number' ? value + 1 : `${String(value)}x`;
  return copy;
}

describe('the hash of what machines decide', { timeout: 60_000 }, () => {
  it('has every field of whatever machines ask for', () => {
    const all = samples();
    expect(all.size).toBeGreaterThan(45);
    const left: string[] = [];
    for (const [name, effect] of all) {
      const hash = hashOf(effect);
      expect(hashOf(structuredClone(effect))).toBe(hash);
      for (const path of leavesOf(effect)) {
        if (hashOf(changed(effect, path)) === hash) left.push(`${name}: ${path.join('.')}`);
      }
    }
    expect(left).toEqual([]);
  });

  it('tells texts of one length apart by their ends, and numbers beyond 32 bits', () => {
    const different = [
      'm_4294967297',
      'm_4294967298',
      'c_1',
      'c_2',
      'x',
      '',
      1,
      2 ** 32 + 1,
      2 ** 40 + 1,
      true,
      false,
    ];
    expect(new Set(different.map(hashOf)).size).toBe(different.length);
    expect(hashOf({ a: [1, { b: 'c' }] })).not.toBe(hashOf({ a: [1, { b: 'd' }] }));
  });
});
