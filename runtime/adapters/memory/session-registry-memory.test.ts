import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { deviceId, nodeId, userId, type UserId } from '../../../core/contract/ids.ts';
import type { SessionEntry } from '../../../core/contract/records.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../core/contract/time.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import { sessionRegistryContract } from '../redis/session-registry.contract.ts';
import { createMemorySessionRegistry } from './session-registry-memory.ts';

let now: number;
let registry: SessionRegistry;
beforeEach(() => {
  now = 1_000 * SECOND;
  registry = createMemorySessionRegistry(() => now as Micros);
});
afterEach(() => registry.close());

const USER = userId('u_1');
const entry = (device: number, epoch: number, gateway = 'g1'): SessionEntry => ({
  userId: USER,
  deviceId: deviceId(`d_${device}`),
  gatewayId: nodeId(gateway),
  epoch,
});
const answer = <Result>(ask: (done: (result: Result) => void) => void): Promise<Result> => new Promise(ask);
const claim = (of: SessionEntry) => answer<unknown>((done) => registry.claim(of, 45 * SECOND, done));
const sessions = async (user: UserId = USER) =>
  (
    await answer<readonly ({ sessions: readonly SessionEntry[] } | undefined)[] | undefined>((done) =>
      registry.lookup([user], done),
    )
  )?.[0]?.sessions;
const presence = async () =>
  (
    await answer<readonly { online: boolean; lastSeen: number | undefined }[]>((done) =>
      registry.readPresence([USER], done),
    )
  )[0];

test('a claim is found until it expires, and each device has one', async () => {
  expect(await claim(entry(1, 1))).toEqual({ outcome: 'held', previous: undefined });
  await claim(entry(2, 1));
  expect(await sessions()).toMatchObject([{ deviceId: 'd_1' }, { deviceId: 'd_2' }]);
  now += 46 * SECOND;
  expect(await sessions()).toEqual([]);
});

test('a newer epoch takes over and names whom it replaced; an older one is fenced', async () => {
  await claim(entry(1, 1, 'g1'));
  expect(await claim(entry(1, 2, 'g2'))).toMatchObject({
    outcome: 'held',
    previous: { gatewayId: 'g1', epoch: 1 },
  });
  expect(await claim(entry(1, 1, 'g1'))).toEqual({ outcome: 'fenced', epoch: 2 });
  registry.release(entry(1, 1, 'g1'));
  expect(await sessions()).toMatchObject([{ gatewayId: 'g2', epoch: 2 }]);
});

test('a renewal tells whether pushes may have been missed', async () => {
  const renew = (of: SessionEntry) => answer((done) => registry.renew([of], 45 * SECOND, done));
  await claim(entry(1, 1));
  expect(await renew(entry(1, 1))).toEqual(['renewed']);
  expect(await answer((done) => registry.markMissed([entry(1, 1)], done))).toBe(true);
  expect(await renew(entry(1, 1))).toEqual(['recreated']);
  expect(await renew(entry(1, 1))).toEqual(['renewed']);
  expect(await renew(entry(2, 7))).toEqual(['recreated']);
  await claim(entry(1, 2));
  expect(await renew(entry(1, 1))).toEqual(['fenced']);
});

test('whoever watches a user is hinted when the first device comes and the last one goes', async () => {
  const hints: UserId[] = [];
  const watch = registry.watchPresence((user) => hints.push(user));
  watch.watch(USER);
  await claim(entry(1, 1));
  await claim(entry(2, 1));
  expect(hints).toEqual([USER]);
  registry.release(entry(1, 1));
  await sleep(0);
  expect([hints.length, (await presence())?.online]).toEqual([1, true]);
  registry.release(entry(2, 1));
  await sleep(0);
  expect(hints).toHaveLength(2);
  expect(await presence()).toEqual({ userId: USER, online: false, lastSeen: now });
  watch.unwatch(USER);
  await claim(entry(1, 3));
  expect(hints).toHaveLength(2);
});

test('a lease that runs out silently is noticed by the sweep', async () => {
  const hints: UserId[] = [];
  registry.watchPresence((user) => hints.push(user)).watch(USER);
  await claim(entry(1, 1));
  now += 60 * SECOND;
  await sleep(1_300);
  expect(hints).toHaveLength(2);
  expect((await presence())?.online).toBe(false);
});

describe('the contract of session registries', () => {
  const subject = () => ({
    registry,
    later(ms: number): Promise<void> {
      now += ms * MILLISECOND;
      return Promise.resolve();
    },
    watching: () => Promise.resolve(),
  });
  for (const { name, run } of sessionRegistryContract(subject)) test(name, run);
});
