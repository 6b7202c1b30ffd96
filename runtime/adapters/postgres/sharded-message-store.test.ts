import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { deviceId, userId } from '../../../core/contract/ids.ts';
import { regionOf, shardOf } from '../../../core/contract/placement.ts';
import type { MessageStore } from '../../ports/message-store.ts';
import { StoreUnderTest, member } from './contract/store-under-test.ts';
import { pairKey } from './direct-claim-group.ts';
import { messageStoreContract } from './message-store.contract.ts';
import { createPostgresMessageStore } from './message-store-postgres.ts';
import type { ShardLimits } from './shard-limits.ts';
import type { ShardedMessageStore, ShardedStoreOptions } from './sharded-message-store.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { until } from './testing/fault-rig.ts';
import { gatheredStore } from './testing/gathered-store.ts';
import { openShardedStore, placementOf, startTestShards, type TestShards } from './testing/test-shards.ts';

let shards: TestShards;
let proxy: FaultProxy;
/** Shard s1 behind a proxy. */
let addresses: TestShards['addresses'];
beforeAll(async () => {
  shards = await startTestShards(2);
  const { host } = new pg.Client({ connectionString: shards.database.connectionString });
  proxy = await FaultProxy.start(`${host}/.s.PGSQL.5432`);
  const [s0, s1] = shards.addresses as [TestShards['addresses'][0], TestShards['addresses'][0]];
  const connectionString = `postgresql://parley@127.0.0.1:${proxy.port}/shard_1`;
  addresses = [s0, { name: s1.name, connectionString }];
});
afterAll(async () => {
  await proxy.close();
  await shards.stop();
});

const open: ShardedMessageStore[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((store) => store.close()));
});

const BOTH_HERE = placementOf(['here', 'here']);
const TWO_REGIONS = placementOf(['here', 'there']);

async function openStore(options: Partial<ShardedStoreOptions> = {}): Promise<ShardedMessageStore> {
  const store = await openShardedStore({ placement: BOTH_HERE, shards: shards.addresses, ...options });
  open.push(store);
  return store;
}

async function openTest(options: Partial<ShardedStoreOptions> = {}): Promise<StoreUnderTest> {
  return StoreUnderTest.of(gatheredStore(await openStore(options)));
}

/** An id of the kind that `draw` makes on one of the shards. */
function on<Id extends string>(shard: number, draw: () => Id): Id {
  for (;;) {
    const id = draw();
    if (shardOf(BOTH_HERE, id) === shard) return id;
  }
}

describe('the message store over two shards', () => {
  let store: ShardedMessageStore;
  let gathered: MessageStore;
  beforeAll(async () => {
    store = await openShardedStore({ placement: BOTH_HERE, shards: shards.addresses });
    gathered = gatheredStore(store);
  });
  afterAll(() => store.close());

  for (const behaviour of messageStoreContract(
    async () => gathered,
    6,
    (id) => shardOf(BOTH_HERE, id),
  )) {
    test(behaviour.name, () => behaviour.run());
  }
});

describe('direct chats', () => {
  const request = (
    chatId: ReturnType<StoreUnderTest['chatId']>,
    users: readonly ReturnType<StoreUnderTest['user']>[],
  ) => ({
    chatId,
    kind: 'direct' as const,
    members: users.map((user) => member(user)),
  });

  test('of one pair are one chat, whichever shards their ids, their pair and their users have', async () => {
    const s = await openTest();
    for (const shard of [0, 1]) {
      for (const other of [0, 1]) {
        const users = [s.user(), s.user()];
        const [first, second] = [on(shard, () => s.chatId()), on(other, () => s.chatId())];
        const created = await s.create(request(first, users));
        expect(created).toEqual({ outcome: 'ok', chatId: first, created: true });
        const again = await s.create(request(second, users.toReversed()));
        expect(again).toEqual({ outcome: 'ok', chatId: first, created: false });
        expect(await s.load(second)).toEqual({ outcome: 'no-chat' });
      }
    }
  });

  test('created by many at once are one chat, and each is told which', async () => {
    const s = await openTest();
    const other = await openTest();
    const users = [s.user(), s.user()];
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? s : other).create(request(s.chatId(), users))),
    );
    const chats = new Set(
      results.map((result) => (result.outcome === 'ok' ? result.chatId : result.outcome)),
    );
    expect(chats.size).toBe(1);
    expect(results.filter((result) => result.outcome === 'ok' && result.created).length).toBe(1);
  });

  test('a claim whose creator died before it created the chat is completed by the next who asks', async () => {
    const s = await openTest();
    const users = [s.user(), s.user()];
    const claimed = on(1, () => s.chatId());
    const [low, high] = users.map((user) => user.slice(2)).sort() as [string, string];
    const pairShard = shardOf(BOTH_HERE, pairKey({ low, high }));
    const shard = await createPostgresMessageStore({
      connectionString: shards.addresses[pairShard]!.connectionString,
      limits: { receiptMembers: 6 },
      log: pino({ level: 'silent' }),
    });
    await new Promise((resolve) => shard.claimDirect({ low, high, chatId: claimed }, resolve));
    await shard.close();
    const result = await s.create(
      request(
        on(0, () => s.chatId()),
        users,
      ),
    );
    expect(result).toEqual({ outcome: 'ok', chatId: claimed, created: true });
    expect((await s.record(claimed)).members.length).toBe(2);
  });

  test('of one or three users are refused', async () => {
    const s = await openTest();
    for (const users of [[s.user()], [s.user(), s.user(), s.user()]])
      expect(await s.create(request(s.chatId(), users))).toEqual({ outcome: 'failed' });
  });
});

test('receipts for chats of both shards are saved by one call', async () => {
  const s = await openTest();
  const user = s.user();
  const device = s.device();
  const chats = await Promise.all(
    [0, 1].map(async (shard) => {
      const chatId = on(shard, () => s.chatId());
      await s.create({ chatId, kind: 'group', members: [member(user), member(s.user())] });
      const chat = { chatId, users: [user], head: 0, version: 0 };
      await s.openDevice(user, device);
      return { chat, sent: await s.appendSome(chat, 2) };
    }),
  );
  await s.saveReceipts(
    ...chats.map(({ chat, sent }) => ({
      chatId: chat.chatId,
      userId: user,
      deviceId: device,
      type: 'DELIVERED' as const,
      serverMsgId: sent[1]!.serverMsgId,
      seq: 2,
      at: 5 as never,
      recipients: [],
      counted: false,
    })),
  );
  expect((await s.list(user, device)).map((chat) => chat.cursor)).toEqual([2, 2]);
});

test('a device starts at the heads of each shard when it is first seen there, and goes on from there', async () => {
  const s = await openTest();
  const [user, device] = [on(0, () => s.user()), s.device()];
  const chat = await s.chat([user, s.user()]);
  const far = on(1, () => s.chatId());
  await s.create({ chatId: far, kind: 'group', members: [member(user), member(s.user())] });
  const away = { chatId: far, users: [user], head: 0, version: 0 };
  await s.appendSome(away, 3);
  expect(await s.openDevice(user, device)).toMatchObject({ epoch: 1, confirmed: false });
  expect((await s.list(user, device)).find(({ chatId }) => chatId === far)?.cursor).toBe(3);
  await s.appendSome(away, 1);
  const later = on(1, () => s.chatId());
  await s.create({ chatId: later, kind: 'group', members: [member(user)] });
  await s.appendSome({ chatId: later, users: [user], head: 0, version: 0 }, 2);
  s.store.confirmDevice({ userId: user, deviceId: device });
  await until(async () => {
    const opened = await s.openDevice(user, device);
    return opened.outcome === 'ok' && opened.confirmed;
  });
  const cursors = new Map((await s.list(user, device)).map((each) => [each.chatId, each.cursor]));
  expect([cursors.get(far), cursors.get(later), cursors.get(chat.chatId)]).toEqual([3, 0, 0]);
});

test('numbers of process runs are unique over regions, and a shard map out of order is refused', async () => {
  const here = await openStore({ placement: TWO_REGIONS });
  const there = await openStore({ placement: TWO_REGIONS, region: 'there' });
  const claim = (store: ShardedMessageStore) =>
    Promise.all(Array.from({ length: 20 }, () => store.claimInstance()));
  const numbers = [...(await claim(here)), ...(await claim(there))];
  expect(new Set(numbers).size).toBe(40);
  expect(Math.max(...numbers)).toBeLessThan(2 ** 21);
  const swapped = [
    { ...shards.addresses[0]!, name: 's1' },
    { ...shards.addresses[1]!, name: 's0' },
  ];
  const confused = await openStore({ placement: TWO_REGIONS, shards: swapped });
  await expect(confused.claimInstance()).rejects.toThrow('must keep their order');
});

describe('with a region that is cut off', () => {
  const list = (store: ShardedMessageStore, s: StoreUnderTest) =>
    new Promise<{ outcome: string; complete?: boolean }>((resolve) => {
      store.listChats({ userId: s.user(), deviceId: s.device() }, resolve);
    });
  const connected = async (sharding: Partial<ShardLimits>) => {
    const store = await openStore({ placement: TWO_REGIONS, shards: addresses, sharding });
    const s = await StoreUnderTest.of(gatheredStore(store));
    await until(async () => (await list(store, s)).complete === true);
    return { store, s };
  };

  test.each(['refuses', 'is mute'] as const)(
    'that %s, nobody waits for it until it answers a probe',
    async (how) => {
      // Whoever waited for the list's own deadline would fail the test.
      const { store, s } = await connected({ listDeadlineMs: 1e6, silenceMs: 400, probeMaxMs: 50 });
      const { port } = proxy;
      if (how === 'refuses') await proxy.close();
      else proxy.mute(true);
      try {
        expect(await list(store, s)).toMatchObject({ outcome: 'ok', complete: false });
        await until(async () => store.health()[1]?.state === 'silent');
        expect(await list(store, s)).toMatchObject({ outcome: 'ok', complete: false });
        // Its own region goes on; what needs the other is told so, and the region counts as ready.
        const [near, far] = [on(0, () => s.user()), on(1, () => s.user())];
        expect(await s.openDevice(near, s.device())).toMatchObject({ outcome: 'ok' });
        expect(await s.openDevice(far, s.device())).toEqual({ outcome: 'failed' });
        expect(
          await s.heads(
            on(1, () => s.chatId()),
            (
              await s.chat(
                2,
                'group',
                on(0, () => s.chatId()),
              )
            ).chatId,
          ),
        ).toEqual([[expect.any(String), 0]]);
        await store.ping();
      } finally {
        if (how === 'refuses') await proxy.listen(port);
        else proxy.mute(false);
      }
      await until(async () => (await list(store, s)).complete === true);
      expect(
        await s.openDevice(
          on(1, () => s.user()),
          s.device(),
        ),
      ).toMatchObject({ outcome: 'ok' });
    },
  );

  test('a list goes without a shard that is slow', async () => {
    const { store, s } = await connected({ listDeadlineMs: 200, silenceMs: 1e6 });
    proxy.mute(true);
    try {
      expect(await list(store, s)).toMatchObject({ outcome: 'ok', complete: false });
      expect(store.health()[1]?.state).toBe('serving');
    } finally {
      proxy.mute(false);
    }
  });

  test('a store starts without it, and not without a shard of its own region', async () => {
    const { port } = proxy;
    await proxy.close();
    try {
      const store = await openStore({
        placement: TWO_REGIONS,
        shards: addresses,
        sharding: { probeMaxMs: 50 },
      });
      expect(store.health()).toMatchObject([{ state: 'serving' }, { state: 'connecting', local: false }]);
      const s = await StoreUnderTest.of(gatheredStore(store));
      expect(await list(store, s)).toMatchObject({ outcome: 'ok', complete: false });
      const start = openStore({ placement: TWO_REGIONS, shards: addresses, region: 'there' });
      await expect(start).rejects.toThrow(/^shard s1: /);
      await proxy.listen(port);
      await until(async () => (await list(store, s)).complete === true);
    } finally {
      if (proxy.port === 0) await proxy.listen(port);
    }
  });
});

test('a shard map and addresses that do not belong together are refused', async () => {
  await expect(openStore({ shards: shards.addresses.slice(1) })).rejects.toThrow(
    'shard s0 of the shard map has no address',
  );
  await expect(openStore({ region: 'nowhere' })).rejects.toThrow('no shard in region nowhere');
  expect(
    regionOf(
      TWO_REGIONS,
      on(1, () => 'u_' + Math.floor(Math.random() * 1e9)),
    ),
  ).toBe('there');
});

test('a process can serve as long as one shard of its region can', async () => {
  const store = await openStore({ shards: addresses, sharding: { silenceMs: 400, probeMaxMs: 50 } });
  const { port } = proxy;
  await proxy.close();
  try {
    await until(async () => {
      await store.localShards[1]?.store.ping().catch(() => undefined);
      await new Promise((resolve) =>
        store.listChats({ userId: userId('u_1'), deviceId: deviceId('d_1') }, resolve),
      );
      return store.health()[1]?.state === 'silent';
    });
    await store.ping();
    await expect(store.localShards[1]?.store.ping()).rejects.toThrow();
  } finally {
    await proxy.listen(port);
  }
  const alone = await openStore({
    shards: addresses,
    placement: placementOf(['there', 'here']),
    region: 'here',
  });
  await alone.ping();
  await proxy.close();
  try {
    await expect(alone.ping()).rejects.toThrow(/./);
  } finally {
    await proxy.listen(port);
  }
});
