import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SOURCE_STEPS } from './check-steps.ts';
import { CLEAN_TREE } from './planted/clean-tree.ts';
import { findReports, type Reports } from './planted/find-reports.ts';
import { LAYER_PLANTS } from './planted/layer-plants.ts';
import { LINT_PLANTS } from './planted/lint-plants.ts';
import { DEAD_CODE_PLANTS, FORMAT_PLANTS, WIRING } from './planted/other-plants.ts';
import type { Plant, StepName } from './planted/plant.ts';
import { plantTree } from './planted/plant-tree.ts';
import { PURITY_PLANTS } from './planted/purity-plants.ts';
import { TYPE_PLANTS } from './planted/type-plants.ts';
import { runStep, type StepResult } from './run-step.ts';

/**
 * A check that reports nothing may be a check that looks at nothing. Each step of `make check`, with its own
 * arguments and configuration, gets a tree of violations and must report every one of them, and a clean tree
 * in which it must find nothing.
 */
const PLANTS: Readonly<Record<StepName, readonly Plant[]>> = {
  format: FORMAT_PLANTS,
  lint: LINT_PLANTS,
  types: TYPE_PLANTS,
  layers: LAYER_PLANTS,
  purity: PURITY_PLANTS,
  'dead-code': DEAD_CODE_PLANTS,
};

const trees: string[] = [];
afterAll(() => {
  for (const tree of trees) rmSync(tree, { recursive: true });
});

const runIn = async (
  files: Readonly<Record<string, string>>,
  step: (typeof SOURCE_STEPS)[number],
): Promise<StepResult> => {
  const tree = plantTree(files);
  trees.push(tree);
  return await runStep(step, tree);
};

describe.each(SOURCE_STEPS)('$name', (step) => {
  const plants = PLANTS[step.name];
  let planted: StepResult;
  let reports: Reports;

  beforeAll(async () => {
    const sources = Object.fromEntries(plants.map((plant) => [plant.path, plant.source]));
    planted = await runIn({ ...CLEAN_TREE, ...sources, ...WIRING[step.name] }, step);
    reports = findReports(step.name, planted.output);
  });

  test('finds nothing in a clean tree', async () => {
    const { passed, output } = await runIn(CLEAN_TREE, step);
    expect(passed, output).toBe(true);
  });

  test('fails when it has found something', () => {
    expect(planted.passed).toBe(false);
  });

  test.each(plants)('reports $what ($rule)', ({ path, rule }) => {
    const ofThisFile = [...reports].filter((line) => line.startsWith(`${path} `));
    expect(ofThisFile).toContain(`${path} ${rule}`);
  });

  test('reports the planted files alone', () => {
    const paths = new Set([...reports].map((line) => line.split(' ')[0]));
    for (const { path } of plants) paths.delete(path);
    expect([...paths]).toEqual([]);
  });
});
