import { beforeEach, describe, expect, test } from 'vitest';
import { deviceId, nodeId, userId, type UserId } from '../../../core/contract/ids.ts';
import { createPlacement, regionOf, SLOTS } from '../../../core/contract/placement.ts';
import type { SessionEntry } from '../../../core/contract/records.ts';
import { MILLISECOND, SECOND, type Micros } from '../../../core/contract/time.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import { createMemorySessionRegistry } from '../memory/session-registry-memory.ts';
import { createRegionalSessionRegistry } from './regional-session-registry.ts';
import { sessionRegistryContract } from './session-registry.contract.ts';

const TTL = 45 * SECOND;
const placement = createPlacement([
  { name: 'north-1', region: 'north', slots: [[0, 299]] },
  { name: 'south-1', region: 'south', slots: [[300, 599]] },
  { name: 'north-2', region: 'north', slots: [[600, SLOTS - 1]] },
]);
const users = Array.from({ length: 40 }, (_, i) => userId(`u_${i}`));
const homes = users.map((user) => regionOf(placement, user));
const entry = (user: UserId, epoch = 1): SessionEntry => ({
  userId: user,
  deviceId: deviceId('d_1'),
  gatewayId: nodeId('g1'),
  epoch,
});
const answer = <Result>(ask: (done: (result: Result) => void) => void): Promise<Result> => new Promise(ask);

let now: number;
let north: SessionRegistry;
let south: SessionRegistry;
let registry: SessionRegistry;
beforeEach(() => {
  now = 1_000 * SECOND;
  const clock = (): Micros => now as Micros;
  [north, south] = [createMemorySessionRegistry(clock), createMemorySessionRegistry(clock)];
  registry = regional(north, south);
  return () => registry.close();
});

function regional(ofNorth: SessionRegistry, ofSouth: SessionRegistry): SessionRegistry {
  const registries = new Map([
    ['north', ofNorth],
    ['south', ofSouth],
  ]);
  return createRegionalSessionRegistry({ placement, ownRegion: 'north', registries });
}

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

test('each user is kept in his home region alone', async () => {
  await answer((done) =>
    registry.renew(
      users.map((user) => entry(user)),
      TTL,
      done,
    ),
  );
  for (const [region, own] of [
    ['north', north],
    ['south', south],
  ] as const) {
    const found = await answer<readonly ({ sessions: readonly unknown[] } | undefined)[] | undefined>(
      (done) => own.lookup(users, done),
    );
    expect(found?.map((each) => each?.sessions.length)).toEqual(
      homes.map((home) => (home === region ? 1 : 0)),
    );
  }
  expect(new Set(homes)).toEqual(new Set(['north', 'south']));
});

test('a region that does not answer leaves its own users unanswered, and nobody else', async () => {
  const cut = regional(north, silent(south));
  const renewed = await answer<readonly unknown[] | undefined>((done) =>
    cut.renew(
      users.map((user) => entry(user)),
      TTL,
      done,
    ),
  );
  expect(renewed).toEqual(homes.map((home) => (home === 'north' ? 'recreated' : undefined)));
  const found = await answer<readonly ({ userId: UserId } | undefined)[] | undefined>((done) =>
    cut.lookup(users, done),
  );
  expect(found?.map((each) => each?.userId)).toEqual(
    users.map((user, i) => (homes[i] === 'north' ? user : undefined)),
  );
  const readings = await answer<readonly { userId: UserId }[]>((done) => cut.readPresence(users, done));
  expect(readings.map(({ userId: user }) => user)).toEqual(users.filter((_, i) => homes[i] === 'north'));
  const [northern, southern] = [users[homes.indexOf('north')], users[homes.indexOf('south')]] as [
    UserId,
    UserId,
  ];
  expect(await answer((done) => cut.claim(entry(northern, 2), TTL, done))).toMatchObject({ outcome: 'held' });
  expect(await answer((done) => cut.claim(entry(southern, 2), TTL, done))).toEqual({ outcome: 'failed' });
  expect(await answer((done) => cut.markMissed([entry(northern)], done))).toBe(true);
  expect(await answer((done) => cut.markMissed([entry(northern), entry(southern)], done))).toBe(false);
  // A role is ready for its own users while its neighbours are cut off.
  await expect(cut.ping()).resolves.toBeUndefined();
  await expect(regional(silent(north), south).ping()).rejects.toThrow('cut off');
});

test('a region with shards and no registry is refused', () => {
  const registries = new Map([['north', north]]);
  expect(() => createRegionalSessionRegistry({ placement, ownRegion: 'north', registries })).toThrow(
    'region south has shards and no session registry',
  );
  expect(() =>
    createRegionalSessionRegistry({
      placement,
      ownRegion: 'west',
      registries: new Map([...registries, ['south', south]]),
    }),
  ).toThrow('region west has no session registry');
});

/** The same port, with nobody behind it. */
function silent(behind: SessionRegistry): SessionRegistry {
  return {
    ...behind,
    claim: (_entry, _ttl, done) => queueMicrotask(() => done({ outcome: 'failed' })),
    renew: (entries, _ttl, done) => queueMicrotask(() => done(entries.map(() => undefined))),
    release: () => undefined,
    lookup: (_users, done) => queueMicrotask(() => done(undefined)),
    markMissed: (_keys, done) => queueMicrotask(() => done(false)),
    readPresence: (_users, done) => queueMicrotask(() => done([])),
    ping: () => Promise.reject(new Error('cut off')),
  };
}
