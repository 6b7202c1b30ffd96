import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineDriver } from './engine-driver.ts';
import { ModelDriver } from './model-driver.ts';
import { openPostgresRig, type PostgresRig } from './postgres-rig.ts';
import type { StoreStep } from './store-step.ts';

let rig: PostgresRig;
beforeAll(async () => {
  rig = await openPostgresRig();
});
afterAll(() => rig.close());

const STEPS: readonly StoreStep[] = [
  { do: 'follow', synchronous: false },
  { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
  { do: 'fall-behind' },
  { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0] },
  { do: 'fail-over' },
  { do: 'heads', chats: ['c1'] },
];

// Why operators are told to have a synchronous standby, and never to fail over to one that lags: the simulator's store,
// which every promise was proved on, does not do this.
test('what a standby has not got is lost with its primary, acknowledged or not: outside of every promise', async () => {
  const engine = new EngineDriver(rig);
  const model = new ModelDriver();
  try {
    const seen: unknown[] = [];
    for (const step of STEPS) seen.push([await engine.perform(step), await model.perform(step)]);
    expect(seen[3]).toEqual(['ok', 'ok']);
    expect(seen[5]).toEqual([['c1 0'], ['c1 1']]);
  } finally {
    await engine.close();
  }
});
