import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { MessageStore } from '../../ports/message-store.ts';
import { receipt, StoreUnderTest, type TestChat } from './contract/store-under-test.ts';
import { FaultProxy } from './testing/fault-proxy.ts';
import { createPostgresMessageStore } from './message-store-postgres.ts';
import type { PostgresLimits } from './postgres-limits.ts';
import { appendUnderLoad } from './testing/store-load.ts';
import { startTestDatabase, type TestDatabase } from './testing/test-database.ts';

const log = pino({ level: 'silent' });
const OK = { outcome: 'ok' };
const FAILED = { outcome: 'failed' };
const UNKNOWN = { outcome: 'unknown' };

let database: TestDatabase;
let proxy: FaultProxy;
let proxied: string;
const stores: MessageStore[] = [];

beforeAll(async () => {
  database = await startTestDatabase();
  const { host } = new pg.Client({ connectionString: database.connectionString });
  proxy = await FaultProxy.start(`${host}/.s.PGSQL.5432`);
  proxied = `postgresql://parley@127.0.0.1:${proxy.port}/parley`;
});
afterAll(async () => {
  await proxy.close();
  await database.stop();
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});

async function open(connectionString: string, postgres: Partial<PostgresLimits> = {}): Promise<MessageStore> {
  const store = await createPostgresMessageStore({
    connectionString,
    limits: { receiptMembers: 6 },
    postgres,
    log,
  });
  stores.push(store);
  return store;
}

async function sql(text: string, values: unknown[] = []): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  try {
    return (await client.query(text, values)).rows as unknown[];
  } finally {
    await client.end();
  }
}

/** Holds a lock on a chat's row until `release`. */
async function lockChat(chat: TestChat): Promise<{ release(): Promise<void> }> {
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM chats WHERE chat_id = $1 FOR UPDATE', [chat.chatId.slice(2)]);
  return {
    release: async () => {
      await client.query('COMMIT');
      await client.end();
    },
  };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await condition()) return;
    await delay(10);
  }
  throw new Error('waited 4 s in vain');
}

/** Why the store does not serve, or nothing. */
const pingFailure = (store: MessageStore): Promise<string> =>
  store.ping().then(
    () => '',
    (error: unknown) => String(error).replace(/^Error: /, ''),
  );

/** How many of the stores' transactions wait for a lock. */
async function waitingBackends(): Promise<number> {
  const waiting = "application_name LIKE 'parley %' AND wait_event_type = 'Lock'";
  return (await sql(`SELECT FROM pg_stat_activity WHERE ${waiting}`)).length;
}

/** Every acknowledged message is where its acknowledgement says, and the chat has no other and no hole. */
async function expectKept(
  chats: readonly TestChat[],
  acked: readonly { chatId: string; seq: number; serverMsgId: string }[],
) {
  const s = new StoreUnderTest(await open(database.connectionString), 0);
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

// ---------------------------------------------------------------- outcomes

test.each([
  ['cut-before', 0],
  ['cut-after', 1],
  ['mute', 1],
] as const)(
  'a connection lost at COMMIT (%s) is unknown, and the chat says what became of it',
  async (fault, head) => {
    const s = await StoreUnderTest.of(await open(proxied, { answerTimeoutMs: 300 }));
    const chat = await s.chat(2);
    const message = s.message(chat, 1);
    proxy.breakCommits(fault);
    expect(await s.append(s.request(chat, [message]))).toEqual(UNKNOWN);
    const loaded = await s.load(chat.chatId, [message]);
    expect(loaded).toMatchObject({ outcome: 'ok', chat: { head }, found: head === 0 ? [] : [message] });
    // The connection comes back by itself.
    chat.head = head;
    expect(await s.append(s.request(chat, [s.message(chat, head + 1)]))).toEqual(OK);
  },
);

test.each(['cut-before', 'cut-after'] as const)(
  'every kind of write is unknown when its COMMIT is %s',
  async (fault) => {
    const s = await StoreUnderTest.of(await open(proxied));
    const chat = await s.chat(2);
    await s.appendSome(chat, 1);
    const { store } = s;
    const write = {
      chatId: chat.chatId,
      userId: chat.users[1]!,
      deviceId: s.device(),
      type: 'DELIVERED',
    } as const;
    const calls: ((done: (result: unknown) => void) => void)[] = [
      (done) =>
        store.saveReceipts(
          [{ ...write, serverMsgId: undefined, seq: 1, at: 1 as never, recipients: [] }],
          done,
        ),
      (done) => store.openDevice({ userId: s.user(), deviceId: s.device() }, done),
      (done) => store.createChat({ chatId: s.chatId(), kind: 'group', members: [] }, done),
      (done) => store.deleteOutbox([1], done),
      (done) => {
        const member = { userId: s.user(), role: 'member', spans: [] } as const;
        store.changeMember({ chatId: chat.chatId, expectHead: 1, expectVersion: 0, member }, done);
      },
    ];
    for (const call of calls) {
      proxy.breakCommits(fault);
      expect(await new Promise(call)).toEqual(UNKNOWN);
    }
  },
);

test('a backend that is killed before COMMIT leaves nothing: failed', async () => {
  const s = await StoreUnderTest.of(await open(database.connectionString));
  const chat = await s.chat(2);
  const lock = await lockChat(chat);
  const result = s.append(s.request(chat, [s.message(chat, 1)]));
  await until(async () => (await waitingBackends()) > 0);
  await sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'parley append %'",
  );
  expect(await result).toEqual(FAILED);
  await lock.release();
  expect((await s.record(chat.chatId)).head).toBe(0);
});

test('a statement that takes too long is given up by PostgreSQL: failed', async () => {
  const s = await StoreUnderTest.of(await open(database.connectionString, { statementTimeoutMs: 100 }));
  const chat = await s.chat(2);
  const lock = await lockChat(chat);
  expect(await s.append(s.request(chat, [s.message(chat, 1)]))).toEqual(FAILED);
  await lock.release();
  await s.appendSome(chat, 1);
});

test.each([
  ['40P01', 3, OK],
  ['40001', 3, OK],
  ['40001', 6, FAILED],
] as const)(
  'a conflict (%s) in the way %i times is tried again, but not for ever',
  async (state, times, outcome) => {
    const s = await StoreUnderTest.of(await open(database.connectionString, { conflictRetries: 5 }));
    const chat = await s.chat(2);
    // A sequence counts also what is rolled back.
    await sql(`
    CREATE SEQUENCE troubles;
    CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF nextval('troubles') <= ${times} THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '${state}'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER trouble BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION trouble()`);
    try {
      expect(await s.append(s.request(chat, [s.message(chat, 1)]))).toEqual(outcome);
      expect((await s.record(chat.chatId)).head).toBe(outcome === OK ? 1 : 0);
    } finally {
      await sql('DROP TRIGGER trouble ON messages; DROP FUNCTION trouble; DROP SEQUENCE troubles');
    }
  },
);

test('a call that cannot be carried out fails alone, whatever it shares a group with', async () => {
  const s = await StoreUnderTest.of(
    await open(database.connectionString, { appendLanes: 1, conflictRetries: 1 }),
  );
  const chats = await Promise.all(Array.from({ length: 16 }, () => s.chat(2)));
  const [taken] = await s.appendSome(chats[15]!, 1);
  const results = await Promise.all(
    chats.map((chat, i) => {
      const seq = chat.head + 1;
      const fields = [
        {},
        { ciphertext: 'not base64!' },
        { serverMsgId: taken!.serverMsgId },
        { clientMsgId: 'x' as never },
      ][i % 4];
      return s.append(s.request(chat, [s.message(chat, seq, fields)]));
    }),
  );
  results.forEach((result, i) => expect(result).toEqual(i % 4 === 0 ? OK : FAILED));
});

test('an id that no row can have is no chat, and no reason to fail others', async () => {
  const s = await StoreUnderTest.of(await open(database.connectionString));
  const chat = await s.chat(2);
  await s.appendSome(chat, 1);
  for (const id of ['c_9223372036854775808', 'c_007', 'c_1,2', 'u_1', 'c_', 'c_-1']) {
    const [loaded, fetched, other] = await Promise.all([
      s.load(id as never),
      s.fetch(chat.users[0]!, id as never),
      s.fetch(chat.users[0]!, chat.chatId),
    ]);
    expect(loaded).toEqual({ outcome: 'no-chat' });
    expect(fetched).toMatchObject({ messages: [], head: 0, spans: [] });
    expect(other.messages.length).toBe(1);
    expect(await s.append(s.request({ ...chat, chatId: id as never }, []))).toEqual(FAILED);
  }
});

test('who spells a send key in capitals finds his message, in his own spelling', async () => {
  const s = await StoreUnderTest.of(await open(database.connectionString));
  const chat = await s.chat(2);
  const [first] = await s.appendSome(chat, 1);
  const clientMsgId = first!.clientMsgId.toUpperCase() as never;
  const again = s.message(chat, 2, { clientMsgId });
  const found = [{ ...first!, clientMsgId }];
  expect(await s.append(s.request(chat, [again]))).toEqual({ outcome: 'duplicate', found });
  expect(await s.load(chat.chatId, [again])).toMatchObject({ outcome: 'ok', found });
});

// ---------------------------------------------------------------- limits

test('what does not fit in the queue is refused at once', async () => {
  const s = await StoreUnderTest.of(await open(database.connectionString, { appendLanes: 1, laneQueue: 4 }));
  const chats = await Promise.all(Array.from({ length: 3 }, () => s.chat(2)));
  const lock = await lockChat(chats[0]!);
  const blocked = s.append(s.request(chats[0]!, [s.message(chats[0]!, 1)]));
  await until(async () => (await waitingBackends()) > 0);
  const calls = Array.from({ length: 10 }, () => s.append(s.request(chats[1]!, [s.message(chats[1]!, 1)])));
  expect(await Promise.all(calls.slice(4))).toEqual(Array.from({ length: 6 }, () => FAILED));
  await lock.release();
  expect(await blocked).toEqual(OK);
  expect((await Promise.all(calls.slice(0, 4))).map((result) => result.outcome)).toEqual([
    'ok',
    'stale',
    'stale',
    'stale',
  ]);
});

test('without PostgreSQL calls wait a while and fail; a ping tells; all is well when it is back', async () => {
  const s = await StoreUnderTest.of(await open(proxied, { connectPatienceMs: 1_000, reconnectMaxMs: 20 }));
  const chat = await s.chat(2);
  await s.store.ping();
  const { port } = proxy;
  await proxy.close();
  const allDown = /^no connection to PostgreSQL: append 0, .*control, .*outbox delete$/;
  await until(async () => allDown.test(await pingFailure(s.store)));
  const startedAt = performance.now();
  const results = await Promise.all([
    s.append(s.request(chat, [s.message(chat, 1)])),
    s.load(chat.chatId),
    s.openDevice(s.user(), s.device()),
  ]);
  expect(results).toEqual([FAILED, FAILED, FAILED]);
  expect(performance.now() - startedAt).toBeGreaterThan(900);
  const patient = s.append(s.request(chat, [s.message(chat, 1)]));
  await proxy.listen(port);
  expect(await patient).toEqual(OK);
  await until(async () => (await pingFailure(s.store)) === '');
});

test('close finishes what was handed in, and refuses what comes after', async () => {
  const store = await createPostgresMessageStore({
    connectionString: database.connectionString,
    limits: { receiptMembers: 6 },
    log,
  });
  const s = await StoreUnderTest.of(store);
  const chats = await Promise.all(Array.from({ length: 50 }, () => s.chat(2)));
  const appends = chats.map((chat) => s.append(s.request(chat, [s.message(chat, 1)])));
  const closing = store.close();
  const late = s.append(s.request(chats[0]!, [s.message(chats[0]!, 2)]));
  expect(await Promise.all(appends)).toEqual(appends.map(() => OK));
  expect(await late).toEqual(FAILED);
  await closing;
  expect(await sql("SELECT FROM pg_stat_activity WHERE application_name LIKE 'parley %'")).toEqual([]);
});

// ---------------------------------------------------------------- many at once, and PostgreSQL in trouble

let chats: readonly TestChat[];
beforeEach(async () => {
  const store = await createPostgresMessageStore({
    connectionString: database.connectionString,
    limits: { receiptMembers: 6 },
    log,
  });
  const s = await StoreUnderTest.of(store);
  chats = await Promise.all(Array.from({ length: 8 }, () => s.chat(2)));
  await store.close();
});

test('two stores that both believe they own the chats never give a seq twice', async () => {
  const two = [
    await StoreUnderTest.of(await open(database.connectionString)),
    await StoreUnderTest.of(await open(database.connectionString, { appendLanes: 3 })),
  ];
  const endAt = Date.now() + 700;
  const tally = await appendUnderLoad(two, chats, 4, () => Date.now() < endAt);
  expect(tally.stale).toBeGreaterThan(0);
  expect(tally.acked.length).toBeGreaterThan(100);
  await expectKept(chats, tally.acked);
});

test('receipts of one user through two stores at once move his watermark up, never down', async () => {
  const two = [await open(database.connectionString), await open(database.connectionString)] as const;
  const s = await StoreUnderTest.of(two[0]);
  const [chat] = chats as [TestChat];
  const sent = await s.appendSome(chat, 5);
  const reader = chat.users[1]!;
  const save = (store: MessageStore, seq: number) =>
    new StoreUnderTest(store, 0).saveReceipts(receipt('DELIVERED', sent[seq - 1]!, reader, s.device()));
  await save(two[0], 1);
  // Somebody else holds the watermark until both are under way; the higher one is first in the queue.
  const client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT FROM watermarks WHERE chat_id = $1 FOR UPDATE', [chat.chatId.slice(2)]);
  const higher = save(two[0], 5);
  await until(async () => (await waitingBackends()) === 1);
  const lower = save(two[1], 3);
  await until(async () => (await waitingBackends()) === 2);
  await client.query('COMMIT');
  await Promise.all([higher, lower, client.end()]);
  const rows = await s.outboxOf(chat.chatId);
  expect(rows.flatMap((row) => (row.kind === 'receipt' ? [row.receipt.seq] : []))).toEqual([1, 5]);
  expect((await s.list(chat.users[0]!, s.device()))[0]!.receipts.map((mark) => mark.seq)).toEqual([5]);
});

test('nothing acknowledged is lost, doubled or reordered while connections are cut at random', async () => {
  const store = await StoreUnderTest.of(await open(proxied));
  const endAt = Date.now() + 1_200;
  const load = appendUnderLoad([store], chats, 2, () => Date.now() < endAt);
  for (let i = 0; Date.now() < endAt - 100; i++) {
    proxy.breakCommits(i % 2 === 0 ? 'cut-before' : 'cut-after');
    await delay(60);
    if (i % 5 === 4) proxy.cutAll();
  }
  const tally = await load;
  expect(tally.unknown).toBeGreaterThan(5);
  expect(tally.acked.length).toBeGreaterThan(100);
  await expectKept(chats, tally.acked);
});

test.each(['SIGINT', 'SIGKILL'] as const)(
  'nothing acknowledged is lost when PostgreSQL gets %s under load',
  async (signal) => {
    const store = await StoreUnderTest.of(await open(database.connectionString));
    const endAt = Date.now() + 1_500;
    const load = appendUnderLoad([store], chats, 2, () => Date.now() < endAt);
    await delay(400);
    const before = database.postgres.pid();
    process.kill(before, signal);
    const tally = await load;
    expect(database.postgres.pid()).not.toBe(before);
    expect(tally.acked.length).toBeGreaterThan(100);
    await expectKept(chats, tally.acked);
  },
);
