import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

/** Dashboards and alerts are written against names, types and labels: docs/metrics.md lists them, and may not be wrong. */

interface Described {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
}

const ROOT = join(import.meta.dirname, '../..');
const byName = (a: Described, b: Described): number => (a.name < b.name ? -1 : 1);

/** Rows of the tables: name, type, labels, meaning. */
function documented(): readonly Described[] {
  const text = readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8');
  return [...text.matchAll(/^\| `(parley_\w+)` \| (\w+) \|([^|]*)\| .+ \|$/gm)].map(
    ([, name = '', type = '', labels = '']) => ({
      name,
      type,
      labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label as string),
    }),
  );
}

/** What every process has from the start. */
function created(): readonly Described[] {
  const registry = new Registry();
  createMetrics(false, undefined, registry);
  return registry.getMetricsAsArray().map((metric) => {
    // Every kind of metric has them; the type of the package leaves them out.
    const { labelNames = [] } = metric as { readonly labelNames?: readonly string[] };
    return { name: metric.name, type: String(metric.type), labels: labelNames };
  });
}

/** What others add: `metrics.gauge(name, …)` and `metrics.counts(name, help, label, …)`. */
function added(): readonly Described[] {
  const call = /metrics\.(gauge|counts)\(\s*'(parley_\w+)',\s*'(?:[^'\\]|\\.)*',\s*(?:'(\w+)')?/g;
  return globSync('runtime/**/*.ts', { cwd: ROOT }).flatMap((file) =>
    [...readFileSync(join(ROOT, file), 'utf8').matchAll(call)].map(([, kind, name = '', label]) => ({
      name,
      type: kind === 'gauge' ? 'gauge' : 'counter',
      labels: label === undefined ? [] : [label],
    })),
  );
}

test('docs/metrics.md lists every metric with its type and its labels, and none that is not there', () => {
  const real = [...created(), ...added()];
  expect(added().length).toBeGreaterThan(10);
  expect(documented().toSorted(byName)).toEqual(real.toSorted(byName));
});

test('no metric has a label that an id could be the value of', () => {
  for (const { name, labels } of documented())
    for (const label of labels)
      expect(label, name).not.toMatch(/user|device|chat|message|node|conn|address|topic|partition/);
});
