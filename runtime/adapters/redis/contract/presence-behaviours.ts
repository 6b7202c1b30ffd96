import assert from 'node:assert/strict';
import type { UserId } from '../../../../core/contract/ids.ts';
import type { RegistryBehaviour } from '../session-registry.contract.ts';
import { entryOf, SHORT, SHORT_MS } from './registry-under-test.ts';

export const presenceBehaviours: readonly RegistryBehaviour[] = [
  [
    'a user is online while any device holds a lease, and offline since the last one ended',
    async (r) => {
      const user = r.user();
      assert.deepEqual(await r.presence(user), { userId: user, online: false, lastSeen: undefined });
      await r.claim(entryOf(user, 1, 1));
      await r.claim(entryOf(user, 2, 1));
      assert.deepEqual(await r.presence(user), { userId: user, online: true, lastSeen: undefined });
      r.registry.release(entryOf(user, 1, 1));
      assert.equal((await r.presence(user)).online, true);
      await r.later(SHORT_MS);
      r.registry.release(entryOf(user, 2, 1));
      const first = await r.presence(user);
      assert.equal(first.online, false);
      await r.later(SHORT_MS);
      assert.deepEqual(await r.presence(user), first, 'it does not move');
      await r.claim(entryOf(user, 1, 2));
      await r.later(SHORT_MS);
      r.registry.release(entryOf(user, 1, 2));
      const second = await r.presence(user);
      assert.ok((second.lastSeen ?? 0) >= (first.lastSeen ?? 0) + SHORT);
    },
  ],
  [
    'a lease that ran out ended then, however late that is noticed',
    async (r) => {
      const user = r.user();
      await r.claim(entryOf(user, 1, 1), SHORT);
      await r.later(2 * SHORT_MS);
      const first = await r.presence(user);
      assert.deepEqual([first.online, first.lastSeen === undefined], [false, false]);
      await r.later(SHORT_MS);
      assert.deepEqual(await r.presence(user), first);
      assert.deepEqual(await r.sessions(user), []);
      assert.deepEqual(await r.presence(user), first, 'a look-up changes nothing of it');
    },
  ],
  [
    'who watches a user is hinted when the first device comes and the last one goes',
    async (r) => {
      const user = r.user();
      const hints: UserId[] = [];
      const watch = r.registry.watchPresence((hinted) => hints.push(hinted));
      watch.watch(user);
      await r.watching(user);
      await r.claim(entryOf(r.user(), 1, 1));
      await r.claim(entryOf(user, 1, 1));
      await r.claim(entryOf(user, 2, 1));
      await r.renew([entryOf(user, 1, 1)]);
      r.registry.release(entryOf(user, 1, 1));
      r.registry.release(entryOf(user, 2, 1));
      await r.eventually('two hints', () => hints.length >= 2);
      await r.renew([entryOf(user, 1, 3)]);
      await r.eventually('a hint that a lost lease was written again', () => hints.length >= 3);
      // Hints of one user stay in order, so that one too many would have come before the last.
      assert.deepEqual(hints, [user, user, user]);
      watch.close();
    },
  ],
  [
    'one watch ends without ending another of the same user',
    async (r) => {
      const user = r.user();
      const hints: string[] = [];
      const first = r.registry.watchPresence(() => hints.push('first'));
      const second = r.registry.watchPresence(() => hints.push('second'));
      first.watch(user);
      second.watch(user);
      await r.watching(user);
      await r.claim(entryOf(user, 1, 1));
      await r.eventually('both are hinted', () => hints.length >= 2);
      assert.deepEqual(hints.toSorted(), ['first', 'second']);
      first.unwatch(user);
      r.registry.release(entryOf(user, 1, 1));
      await r.eventually('the second is hinted', () => hints.length >= 3);
      second.unwatch(user);
      second.watch(user);
      await r.watching(user);
      await r.claim(entryOf(user, 1, 2));
      await r.eventually('it is hinted when it watches again', () => hints.length >= 4);
      assert.deepEqual(hints.slice(2), ['second', 'second']);
      first.close();
      second.close();
    },
  ],
];
