import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ClientMsgId, clientMsgId } from '../../../core/contract/ids.ts';
import { receipt, type StoreUnderTest, type TestChat } from './contract/store-under-test.ts';
import { FaultRig, until } from './testing/fault-rig.ts';
import { appendUnderLoad } from './testing/store-load.ts';

let rig: FaultRig;
beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(() => rig.stop());
afterEach(() => rig.closeStores());

/** Every acknowledged message is where its acknowledgement says, and the chat has no other and no hole. */
async function expectKept(
  chats: readonly TestChat[],
  acked: readonly { chatId: string; seq: number; serverMsgId: string }[],
) {
  const s = await rig.open();
  for (const chat of chats) {
    const promised = acked
      .filter((message) => message.chatId === chat.chatId)
      .toSorted((a, b) => a.seq - b.seq);
    const page = await s.fetch(chat.users[0]!, chat.chatId, 0, 1_000_000);
    const stored = page.messages.map((message) => `${message.seq} ${message.serverMsgId}`);
    expect(promised.map((message) => `${message.seq} ${message.serverMsgId}`)).toEqual(stored);
    expect(page.messages.map((message) => message.seq)).toEqual(page.messages.map((_, i) => i + 1));
    expect(page.head).toBe(page.messages.length);
  }
}

let chats: readonly TestChat[];
beforeEach(async () => {
  const s = await rig.open();
  chats = await Promise.all(Array.from({ length: 8 }, () => s.chat(2)));
});

test('two stores that both believe they own the chats never give a seq twice', async () => {
  const two = [await rig.open(), await rig.open({ appendLanes: 3 })];
  const endAt = Date.now() + 700;
  const tally = await appendUnderLoad(two, chats, 4, () => Date.now() < endAt);
  expect(tally.stale).toBeGreaterThan(0);
  expect(tally.acked.length).toBeGreaterThan(20);
  await expectKept(chats, tally.acked);
});

test('the same sends to two chats in opposite orders make nobody wait for a deadlock', async () => {
  const s = await rig.open();
  const [a, b, ...others] = chats as [TestChat, TestChat, ...TestChat[]];
  const from = a.users[0]!;
  for (let round = 0; round < 3; round++) {
    const keys = Array.from({ length: 200 }, () => clientMsgId(crypto.randomUUID()));
    const append = (chat: TestChat, list: readonly ClientMsgId[]) =>
      s.append(
        s.request(
          chat,
          list.map((key, i) => s.message(chat, chat.head + 1 + i, { clientMsgId: key, from })),
        ),
      );
    const results = await Promise.all([
      append(a, keys),
      append(b, keys.toReversed()),
      ...others.map((chat) => append(chat, [clientMsgId(crypto.randomUUID())])),
    ]);
    expect(results.map(({ outcome }) => outcome).toSorted()).toEqual([
      'duplicate',
      ...results.slice(1).map(() => 'ok'),
    ]);
    [a, b, ...others].forEach((chat, i) => {
      if (results[i]?.outcome === 'ok') chat.head += i < 2 ? keys.length : 1;
    });
  }
  const rows = await rig.sql(
    'SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()',
  );
  expect(rows).toEqual([{ deadlocks: 0 }]);
});

test('receipts of one user through two stores at once move his watermark up, never down', async () => {
  const [s, other] = [await rig.open(), await rig.open()];
  const [chat] = chats as [TestChat];
  const sent = await s.appendSome(chat, 5);
  const reader = chat.users[1]!;
  const save = (store: StoreUnderTest, seq: number) =>
    store.saveReceipts(receipt('DELIVERED', sent[seq - 1]!, reader, s.device()));
  await save(s, 1);
  // Somebody else holds the watermark until both are under way; the higher one is first in the queue.
  const lock = await rig.lock('watermarks', chat);
  const higher = save(s, 5);
  await until(async () => (await rig.waiting()) === 1);
  const lower = save(other, 3);
  await until(async () => (await rig.waiting()) === 2);
  await lock.release();
  await Promise.all([higher, lower]);
  const rows = await s.outboxOf(chat.chatId);
  expect(rows.flatMap((row) => (row.kind === 'receipt' ? [row.receipt.seq] : []))).toEqual([1, 5]);
  expect((await s.list(chat.users[0]!, s.device()))[0]!.receipts.map((mark) => mark.seq)).toEqual([5]);
});

test('nothing acknowledged is lost, doubled or reordered while connections are cut at random', async () => {
  const store = await rig.openProxied();
  const endAt = Date.now() + 1_200;
  const load = appendUnderLoad([store], chats, 2, () => Date.now() < endAt);
  for (let i = 0; Date.now() < endAt - 100; i++) {
    rig.proxy.breakCommits(i % 2 === 0 ? 'cut-before' : 'cut-after');
    await delay(60);
    if (i % 5 === 4) rig.proxy.cutAll();
  }
  const tally = await load;
  expect(tally.unknown).toBeGreaterThan(0);
  expect(tally.acked.length).toBeGreaterThan(20);
  await expectKept(chats, tally.acked);
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'nothing acknowledged is lost when PostgreSQL gets %s under load',
  async (signal) => {
    const store = await rig.open();
    const endAt = Date.now() + 1_500;
    const load = appendUnderLoad([store], chats, 2, () => Date.now() < endAt);
    await delay(400);
    const before = rig.database.postgres.pid();
    process.kill(before, signal);
    const tally = await load;
    expect(rig.database.postgres.pid()).not.toBe(before);
    expect(tally.acked.length).toBeGreaterThan(20);
    await expectKept(chats, tally.acked);
  },
);
