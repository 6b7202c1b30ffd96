import assert from 'node:assert/strict';
import type { UserId } from '../../../../core/contract/ids.ts';
import type { SessionEntry } from '../../../../core/contract/records.ts';
import type { RenewOutcome } from '../../../../core/session/lease.ts';
import type { RegistryBehaviour } from '../session-registry.contract.ts';
import { entryOf, LONG } from './registry-under-test.ts';

export const batchBehaviours: readonly RegistryBehaviour[] = [
  [
    'a large batch answers each entry, in order',
    async (r) => {
      const users = Array.from({ length: 600 }, () => r.user());
      const entries = users.map((user, i) => entryOf(user, 1, 5, `gateway-${i}`));
      assert.deepEqual(new Set(await r.renew(entries)), new Set(['recreated']));
      await r.claim(entryOf(users[299] as UserId, 1, 6, 'elsewhere'));
      await r.markMissed(entries[300] as SessionEntry);
      const outcomes = await r.renew(entries);
      const expected = entries.map(
        (_, i): RenewOutcome => (i === 299 ? 'fenced' : i === 300 ? 'recreated' : 'renewed'),
      );
      assert.deepEqual(outcomes, expected);
      const asked = [...users, users[0] as UserId];
      const found = await r.lookup(asked);
      assert.deepEqual(
        found.map(([session]) => session),
        asked.map((_, i) => (i === 299 ? 'd_1 6 elsewhere' : `d_1 5 gateway-${i === users.length ? 0 : i}`)),
      );
    },
  ],
  [
    'one batch may name a user, and a device, more than once',
    async (r) => {
      const user = r.user();
      const batch = [
        entryOf(user, 1, 1),
        entryOf(user, 2, 1),
        entryOf(user, 1, 1),
        entryOf(user, 1, 2),
        entryOf(user, 1, 1),
      ];
      assert.deepEqual(await r.renew(batch), ['recreated', 'recreated', 'renewed', 'recreated', 'fenced']);
      assert.deepEqual(await r.lookup([user, user]), [
        ['d_1 2 g1', 'd_2 1 g2'],
        ['d_1 2 g1', 'd_2 1 g2'],
      ]);
    },
  ],
  [
    'calls of one moment take effect in the order in which they were made',
    async (r) => {
      const user = r.user();
      const order: string[] = [];
      await new Promise<void>((resolve) => {
        r.registry.claim(entryOf(user, 1, 1), LONG, () => order.push('claim 1'));
        r.registry.claim(entryOf(user, 1, 2), LONG, (result) =>
          order.push(`claim 2 ${result.outcome === 'held' ? result.previous?.epoch : '-'}`),
        );
        r.registry.lookup([user], (found) => order.push(`lookup ${found?.[0]?.sessions.length}`));
        r.registry.release(entryOf(user, 1, 2));
        r.registry.lookup([user], (found) => {
          order.push(`lookup ${found?.[0]?.sessions.length}`);
          resolve();
        });
      });
      assert.deepEqual(order, ['claim 1', 'claim 2 1', 'lookup 1', 'lookup 0']);
    },
  ],
  [
    'nothing asked is nothing answered',
    async (r) => {
      assert.deepEqual(await r.lookup([]), []);
      assert.deepEqual(await r.renew([]), []);
      assert.equal(await r.markMissed(), true);
      assert.deepEqual(await r.sessions(r.user()), []);
    },
  ],
  ['it says that it answers', async (r) => r.registry.ping()],
];
