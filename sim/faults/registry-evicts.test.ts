import { expect, it } from 'vitest';
import { replayMutant } from '../commands/replay-mutant.ts';
import { runScenario } from '../run.ts';
import type { Scenario } from '../scenario.ts';

/** Who is connected vanishes from the registry between a message being stored and its push: nobody is found to be pushed to. */
const scenario: Scenario = {
  version: 1,
  seed: 3830303515,
  topology: {
    gateways: 1,
    services: 2,
    relays: 1,
    workers: 1,
    partitions: 1,
    users: 3,
    devices: 4,
    chats: [{ kind: 'direct', members: [2, 0] }],
  },
  knobs: { limits: {}, network: 'mobile', wire: false, safetyMicros: 80_000_000 },
  ops: [{ at: 77_497_702, op: 'send', device: 0, chat: 0, bytes: 26 }],
  faults: [{ at: 77_498_328, kind: 'registry-evicts', target: 'registry', for: 0, amount: 600 }],
};

it('is survived, because a renewal that writes itself anew says so', () => {
  const result = runScenario(scenario);
  expect(result.verdict).toBe('pass');
  expect(result.probes.get('registry.evicted')).toBeGreaterThan(0);
});

it('finds a session that does not notice that its entry was lost', async () => {
  const [replay] = await replayMutant('registry-loss-not-noticed', [scenario]);
  expect(replay?.failed).toEqual({ verdict: 'liveness', cause: 'no-acked-message-lost' });
});
