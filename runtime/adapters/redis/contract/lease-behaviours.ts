import assert from 'node:assert/strict';
import type { RegistryBehaviour } from '../session-registry.contract.ts';
import { entryOf, LONG, SHORT, SHORT_MS } from './registry-under-test.ts';

export const leaseBehaviours: readonly RegistryBehaviour[] = [
  [
    'a claim is found until it runs out, and each device has one',
    async (r) => {
      const user = r.user();
      assert.deepEqual(await r.claim(entryOf(user, 1, 1)), { outcome: 'held', previous: undefined });
      await r.claim(entryOf(user, 2, 7));
      await r.claim(entryOf(user, 3, 1), SHORT);
      await r.later(2 * SHORT_MS);
      assert.deepEqual(await r.sessions(user), ['d_1 1 g1', 'd_2 7 g2']);
    },
  ],
  [
    'a newer epoch takes over and names whom it replaced',
    async (r) => {
      const user = r.user();
      await r.claim(entryOf(user, 1, 3, 'gateway-1'));
      const result = await r.claim(entryOf(user, 1, 4, 'gateway-2'));
      assert.equal(result.outcome, 'held');
      const { userId, deviceId, epoch, gatewayId } = result.previous ?? {};
      assert.deepEqual([userId, deviceId, epoch, gatewayId], [user, 'd_1', 3, 'gateway-1']);
      assert.deepEqual(await r.sessions(user), ['d_1 4 gateway-2']);
    },
  ],
  [
    'the same claim again, its first answer lost, replaces nobody',
    async (r) => {
      const entry = entryOf(r.user(), 1, 3);
      await r.claim(entry);
      assert.deepEqual(await r.claim(entry), { outcome: 'held', previous: undefined });
    },
  ],
  [
    'an older epoch is fenced, also by a lease that has run out, and changes nothing',
    async (r) => {
      const user = r.user();
      await r.claim(entryOf(user, 1, 5));
      assert.deepEqual(await r.claim(entryOf(user, 1, 4)), { outcome: 'fenced', epoch: 5 });
      r.registry.release(entryOf(user, 1, 4));
      assert.deepEqual(await r.sessions(user), ['d_1 5 g1']);
      await r.claim(entryOf(user, 1, 6), SHORT);
      await r.later(2 * SHORT_MS);
      assert.deepEqual(await r.claim(entryOf(user, 1, 5)), { outcome: 'fenced', epoch: 6 });
      assert.deepEqual(await r.claim(entryOf(user, 1, 7)), { outcome: 'held', previous: undefined });
    },
  ],
  [
    'epochs are compared as numbers, also large ones',
    async (r) => {
      const user = r.user();
      await r.claim(entryOf(user, 1, 9));
      assert.equal((await r.claim(entryOf(user, 1, 10))).outcome, 'held');
      const large = Number.MAX_SAFE_INTEGER - 1;
      await r.claim(entryOf(user, 1, large));
      assert.deepEqual(await r.claim(entryOf(user, 1, large - 1)), { outcome: 'fenced', epoch: large });
      assert.deepEqual(await r.sessions(user), [`d_1 ${large} g1`]);
      await r.markMissed(entryOf(user, 1, large));
      assert.deepEqual(await r.sessions(user), [`d_1 ${large} g1`]);
      assert.deepEqual(await r.renew([entryOf(user, 1, large)]), ['recreated']);
    },
  ],
  [
    'a renewal is quiet only while the lease is intact',
    async (r) => {
      const user = r.user();
      const outcome = async (epoch: number, ttl = LONG) =>
        (await r.renew([entryOf(user, 1, epoch)], ttl))?.[0];
      assert.equal(await outcome(3), 'recreated', 'it was not there');
      assert.equal(await outcome(3), 'renewed');
      assert.equal(await outcome(4), 'recreated', 'an older one was there');
      assert.equal(await outcome(3), 'fenced');
      assert.equal(await outcome(4, SHORT), 'renewed');
      await r.later(2 * SHORT_MS);
      assert.equal(await outcome(3), 'fenced', 'one that ran out fences');
      assert.equal(await outcome(4), 'recreated', 'it had run out');
      assert.deepEqual(await r.sessions(user), ['d_1 4 g1']);
    },
  ],
  [
    'a renewal takes over the gateway that the session is at',
    async (r) => {
      const user = r.user();
      await r.claim(entryOf(user, 1, 3, 'gateway-1'));
      assert.deepEqual(await r.renew([entryOf(user, 1, 3, 'gateway-2')]), ['renewed']);
      assert.deepEqual(await r.sessions(user), ['d_1 3 gateway-2']);
    },
  ],
  [
    'a push that was given up is told once, by the next renewal; a claim forgets it',
    async (r) => {
      const user = r.user();
      const [one, two] = [entryOf(user, 1, 3), entryOf(user, 2, 3)];
      await r.claim(one);
      await r.claim(two);
      assert.equal(await r.markMissed({ ...one, epoch: 99 } as never, entryOf(r.user(), 1, 1)), true);
      assert.deepEqual(await r.sessions(user), ['d_1 3 g1', 'd_2 3 g2'], 'it stays');
      assert.deepEqual(await r.renew([one, two]), ['recreated', 'renewed']);
      assert.deepEqual(await r.renew([one]), ['renewed']);
      await r.markMissed(one);
      await r.claim(one);
      assert.deepEqual(await r.renew([one]), ['renewed']);
    },
  ],
  [
    'a release gives up its own epoch only',
    async (r) => {
      const user = r.user();
      await r.claim(entryOf(user, 1, 3));
      await r.claim(entryOf(user, 2, 3));
      r.registry.release(entryOf(user, 1, 2));
      r.registry.release(entryOf(user, 1, 4));
      assert.deepEqual(await r.sessions(user), ['d_1 3 g1', 'd_2 3 g2']);
      r.registry.release(entryOf(user, 1, 3));
      assert.deepEqual(await r.sessions(user), ['d_2 3 g2']);
      // Nothing is left that would fence.
      assert.deepEqual(await r.claim(entryOf(user, 1, 1)), { outcome: 'held', previous: undefined });
    },
  ],
];
