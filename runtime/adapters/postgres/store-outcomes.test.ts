import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { MessageStore } from '../../ports/message-store.ts';
import { asFound, StoreUnderTest } from './contract/store-under-test.ts';
import { createPostgresMessageStore } from './message-store-postgres.ts';
import { FaultRig, RECEIPT_MEMBERS, until } from './testing/fault-rig.ts';

const OK = { outcome: 'ok' };
const FAILED = { outcome: 'failed' };
const UNKNOWN = { outcome: 'unknown' };

/** Why the store does not serve, or nothing. */
const pingFailure = (store: MessageStore): Promise<string> =>
  store.ping().then(
    () => '',
    (error: unknown) => String(error).replace(/^Error: /, ''),
  );

let rig: FaultRig;
beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(() => rig.stop());
afterEach(() => rig.closeStores());

// ---------------------------------------------------------------- outcomes

test.each([
  ['cut-before', 0],
  ['cut-after', 1],
  ['mute', 1],
] as const)(
  'a connection lost at COMMIT (%s) is unknown, and the chat says what became of it',
  async (fault, head) => {
    const s = await rig.openProxied({ answerTimeoutMs: 300 });
    const chat = await s.chat(2);
    const message = s.message(chat, 1);
    rig.proxy.breakCommits(fault);
    expect(await s.append(s.request(chat, [message]))).toEqual(UNKNOWN);
    const loaded = await s.load(chat.chatId, [message]);
    expect(loaded).toMatchObject({
      outcome: 'ok',
      chat: { head },
      found: head === 0 ? [] : [asFound(message)],
    });
    // The connection comes back by itself.
    chat.head = head;
    expect(await s.append(s.request(chat, [s.message(chat, head + 1)]))).toEqual(OK);
  },
);

test.each(['cut-before', 'cut-after'] as const)(
  'every kind of write is unknown when its COMMIT is %s',
  async (fault) => {
    const s = await rig.openProxied();
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
          [{ ...write, serverMsgId: undefined, seq: 1, at: 1 as never, recipients: [], counted: false }],
          done,
        ),
      (done) => store.openDevice({ userId: s.user(), deviceId: s.device() }, done),
      (done) => store.createChat({ chatId: s.chatId(), kind: 'group', members: [] }, done),
      (done) => store.deleteOutbox([1], done),
      (done) => {
        const member = { userId: s.user(), role: 'member', spans: [] } as const;
        const expected = { expectHead: 1, expectVersion: 0, markAbove: 1 };
        store.changeMember({ chatId: chat.chatId, ...expected, member }, done);
      },
    ];
    for (const call of calls) {
      rig.proxy.breakCommits(fault);
      expect(await new Promise(call)).toEqual(UNKNOWN);
    }
  },
);

test('a backend that is killed before COMMIT leaves nothing: failed', async () => {
  const s = await rig.open();
  const chat = await s.chat(2);
  const lock = await rig.lock('chats', chat);
  const result = s.append(s.request(chat, [s.message(chat, 1)]));
  await until(async () => (await rig.waiting()) > 0);
  await rig.sql(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'parley append %'",
  );
  expect(await result).toEqual(FAILED);
  await lock.release();
  expect((await s.record(chat.chatId)).head).toBe(0);
});

test('a statement that takes too long is given up by PostgreSQL: failed', async () => {
  const s = await rig.open({ statementTimeoutMs: 100 });
  const chat = await s.chat(2);
  const lock = await rig.lock('chats', chat);
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
    const s = await rig.open({ conflictRetries: 5 });
    const chat = await s.chat(2);
    // A sequence counts also what is rolled back.
    await rig.sql(`
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
      await rig.sql('DROP TRIGGER trouble ON messages; DROP FUNCTION trouble; DROP SEQUENCE troubles');
    }
  },
);

test('a call that cannot be carried out fails alone, whatever it shares a group with', async () => {
  const s = await rig.open({ appendLanes: 1, conflictRetries: 1 });
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
  const s = await rig.open();
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
  const s = await rig.open();
  const chat = await s.chat(2);
  const [first] = await s.appendSome(chat, 1);
  const clientMsgId = first!.clientMsgId.toUpperCase() as never;
  const again = s.message(chat, 2, { clientMsgId, ciphertext: first!.ciphertext });
  const found = [{ ...asFound(first), clientMsgId }];
  expect(await s.append(s.request(chat, [again]))).toEqual({ outcome: 'duplicate', found });
  expect(await s.load(chat.chatId, [again])).toMatchObject({ outcome: 'ok', found });
});

// ---------------------------------------------------------------- limits

test('what does not fit in the queue is refused at once', async () => {
  const s = await rig.open({ appendLanes: 1, laneQueue: 4 });
  const chats = await Promise.all(Array.from({ length: 3 }, () => s.chat(2)));
  const lock = await rig.lock('chats', chats[0]!);
  const blocked = s.append(s.request(chats[0]!, [s.message(chats[0]!, 1)]));
  await until(async () => (await rig.waiting()) > 0);
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

test('pages go together as far as the largest messages in all of them fit', async () => {
  const groups: number[] = [];
  const store = await createPostgresMessageStore({
    connectionString: rig.database.connectionString,
    limits: { receiptMembers: RECEIPT_MEMBERS },
    postgres: { readLanes: 1, groupBytes: 300_000 },
    log: pino({ level: 'silent' }),
    metrics: {
      group: (lane, requests) => void (lane === 'fetch' && groups.push(requests)),
      outcome: () => {},
      waiting: () => {},
    },
  });
  try {
    const s = await StoreUnderTest.of(store);
    const chat = await s.chat(2);
    const ciphertext = Buffer.alloc(64 * 1024).toString('base64');
    await s.append(
      s.request(
        chat,
        [1, 2, 3, 4, 5].map((seq) => s.message(chat, seq, { ciphertext })),
      ),
    );
    const read = (bytes: number) => s.fetch(chat.users[0]!, chat.chatId, 0, 5, bytes);
    // Of the smallest pages three fit, of larger ones two, and whatever is asked for goes at last.
    for (const [bytes, together] of [
      [1, 3],
      [150_000, 2],
      [1_000_000, 1],
    ] as const) {
      groups.length = 0;
      await Promise.all(Array.from({ length: 12 }, () => read(bytes)));
      expect(groups).toEqual(Array.from({ length: 12 / together }, () => together));
    }
  } finally {
    await store.close();
  }
});

test('without PostgreSQL calls wait a while and fail; a ping tells; all is well when it is back', async () => {
  const s = await rig.openProxied({ connectPatienceMs: 1_000, reconnectMaxMs: 20 });
  const chat = await s.chat(2);
  await s.store.ping();
  const { port } = rig.proxy;
  await rig.proxy.close();
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
  await rig.proxy.listen(port);
  expect(await patient).toEqual(OK);
  await until(async () => (await pingFailure(s.store)) === '');
});

test('close finishes what was handed in, and refuses what comes after', async () => {
  const s = await rig.open();
  const chats = await Promise.all(Array.from({ length: 50 }, () => s.chat(2)));
  const appends = chats.map((chat) => s.append(s.request(chat, [s.message(chat, 1)])));
  const closing = rig.closeStores();
  const late = s.append(s.request(chats[0]!, [s.message(chats[0]!, 2)]));
  expect(await Promise.all(appends)).toEqual(appends.map(() => OK));
  expect(await late).toEqual(FAILED);
  await closing;
  expect(await rig.sql("SELECT FROM pg_stat_activity WHERE application_name LIKE 'parley %'")).toEqual([]);
});
