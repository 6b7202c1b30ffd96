import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { partitionOf } from '../../../sim/world/delivery-log.ts';
import { compare } from '../conformance.ts';
import type { Observation } from '../script.ts';
import { ModelDriver, PARTITIONS } from './model-driver.ts';
import type { QueueStep } from './queue-step.ts';
import { KAFKA_SCRIPTS } from './scripts.ts';

test('the users of the scripts are in different partitions', () => {
  expect(new Set([1, 2, 3].map((user) => partitionOf(`u_${user}`, PARTITIONS))).size).toBe(3);
});

test('every script shows something, and the model carries out every step of it', async () => {
  for (const { name, steps } of KAFKA_SCRIPTS) {
    const model = new ModelDriver();
    const shown: Observation[] = steps.map((step) => model.perform(step));
    const handed = shown.filter(
      (each) => typeof each === 'object' && each !== null && !isDeepStrictEqual(each, {}),
    );
    expect(handed.length > 0 || name === 'request-lost' || name === 'part-of-a-call', name).toBe(true);
  }
});

test('a model that is wrong is told from its engine', async () => {
  // The engine here is the model, but for a worker that forgets to tell of one event.
  class Forgetful extends ModelDriver {
    override perform(step: QueueStep): Observation {
      const shown = super.perform(step);
      return step.do === 'look'
        ? (JSON.parse(JSON.stringify(shown).replace('"A:2",', '')) as Observation)
        : shown;
    }
  }
  const [script] = KAFKA_SCRIPTS;
  if (script === undefined) throw new Error('there are no scripts');
  const rig = { openModel: () => new ModelDriver(), openEngine: () => new Forgetful() };
  const comparison = await compare(script, rig);
  expect(comparison.equal).toBe(false);
  expect(comparison.difference?.step).toMatchObject({ do: 'look' });
});
