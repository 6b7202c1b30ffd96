import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Micros } from '../../../core/contract/time.ts';
import { PARTITIONS_AHEAD_DAYS, partitionDays, runRetention } from './body-partitions.ts';
import { asFound } from './contract/store-under-test.ts';
import { MESSAGE_BODY, MESSAGE_COLUMNS } from './message-row.ts';
import { FaultRig } from './testing/fault-rig.ts';

const log = pino({ level: 'silent' });
const DAY_MS = 86_400_000;

let rig: FaultRig;
beforeAll(async () => {
  rig = await FaultRig.start();
});
afterAll(() => rig.stop());
afterEach(() => rig.closeStores());

const at = (day: number) => (day * DAY_MS * 1_000 + 5) as Micros;
const keep = (nowMs: number, keepDays?: number) =>
  runRetention(rig.database.connectionString, { nowMs, keepDays }, log);

async function partitions(): Promise<readonly string[]> {
  const rows = await rig.sql(
    "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'bodies'::regclass ORDER BY 1",
  );
  return (rows as { name: string }[]).map(({ name }) => name);
}

const bodiesIn = async (table: string) =>
  ((await rig.sql(`SELECT count(*)::int AS n FROM ONLY ${table}`)) as { n: number }[])[0]?.n;

test('a migrated database has partitions from yesterday on, and looking after them again makes none', async () => {
  const today = Date.now();
  const names = Array.from({ length: PARTITIONS_AHEAD_DAYS + 2 }, (_, i) =>
    new Date(today + (i - 1) * DAY_MS).toISOString().slice(0, 10).replaceAll('-', ''),
  );
  expect(await partitions()).toEqual([...names.map((name) => `bodies_${name}`), 'bodies_other'].sort());
  expect(await Promise.all([keep(today), keep(today)])).toEqual([
    { made: 0, dropped: 0 },
    { made: 0, dropped: 0 },
  ]);
});

test.each([
  [1, 1],
  [92, 1],
  [93, 7],
  [730, 7],
  [731, 30],
  [undefined, 30],
])('what is kept for %s days lies in partitions of %i', (keepDays, span) => {
  expect(partitionDays(keepDays)).toBe(span);
});

test('what is kept for ever lies in few partitions, between those of a day that are there already', async () => {
  const first = 60_000; // a multiple of thirty
  await keep((first + 10) * DAY_MS, 30);
  for (let day = first; day <= first + 90; day++) await keep(day * DAY_MS);
  const bounds = (await rig.sql(`SELECT first_day - ${first} AS low, end_day - ${first} AS high
    FROM body_partitions() WHERE first_day BETWEEN ${first - 40} AND ${first + 200} ORDER BY 1`)) as object[];
  expect(bounds).toEqual([
    { low: -30, high: 0 },
    { low: 0, high: 9 },
    ...[9, 10, 11, 12, 13].map((low) => ({ low, high: low + 1 })),
    { low: 14, high: 30 },
    { low: 30, high: 60 },
    { low: 60, high: 90 },
    { low: 90, high: 120 },
  ]);
  // Those of a month go with their last day.
  expect(await keep((first + 90) * DAY_MS, 61)).toEqual({ made: 0, dropped: 8 });
  expect(await keep((first + 89) * DAY_MS, 31)).toEqual({ made: 0, dropped: 0 });
  expect(await keep((first + 89) * DAY_MS, 30)).toEqual({ made: 0, dropped: 1 });
});

test('what a day said lies in its partition, and goes with it; everything else of its messages stays', async () => {
  const s = await rig.open();
  const chat = await s.chat(2);
  const today = 21_000;
  await keep(today * DAY_MS, 30);
  const days = [today - 1, today, today + 1];
  const sent = days.map((day, i) => s.message(chat, i + 1, { sentAt: at(day) }));
  expect(await s.append(s.request(chat, sent))).toEqual({ outcome: 'ok' });
  expect(await bodiesIn('bodies_20270701')).toBe(1);
  expect(await keep((today + 2) * DAY_MS, 2)).toMatchObject({ made: 2 });
  const emptied = [{ ...sent[0]!, ciphertext: '' }, { ...sent[1]!, ciphertext: '' }, sent[2]!];
  expect((await s.fetch(chat.users[0]!, chat.chatId)).messages).toEqual(emptied);
  // For ever the same send, and the same message.
  const { clientMsgId, ciphertext } = sent[0]!;
  const again = s.message(chat, 4, { clientMsgId, ciphertext });
  expect(await s.append(s.request({ ...chat, head: 3 }, [again]))).toEqual({
    outcome: 'duplicate',
    found: [asFound(sent[0])],
  });
  const other = { ...sent[0]!, ciphertext: '' };
  expect(await s.load(chat.chatId, [sent[0]!, other])).toMatchObject({
    found: [asFound(sent[0]), asFound(sent[0], false)],
  });
  expect(await s.store.receiptsOf(chat.chatId, sent[0]!.serverMsgId)).toMatchObject({ seq: 1 });
  expect(await keep((today + 2) * DAY_MS, 2)).toEqual({ made: 0, dropped: 0 });
});

test('a message of a day without a partition is kept, and moves into the partition when that is made', async () => {
  const s = await rig.open();
  const chat = await s.chat(2);
  const sent = [30_000, 30_001, 5].map((day, i) => s.message(chat, i + 1, { sentAt: at(day) }));
  expect(await s.append(s.request(chat, sent))).toEqual({ outcome: 'ok' });
  expect(await bodiesIn('bodies_other')).toBe(3);
  expect((await s.fetch(chat.users[0]!, chat.chatId)).messages).toEqual(sent);
  await keep(30_000 * DAY_MS);
  expect(await bodiesIn('bodies_other')).toBe(1);
  expect((await s.fetch(chat.users[0]!, chat.chatId)).messages).toEqual(sent);
  await keep(30_000 * DAY_MS, 1);
  expect(await bodiesIn('bodies_other')).toBe(0);
  const after = (await s.fetch(chat.users[0]!, chat.chatId)).messages.map(
    ({ ciphertext }) => ciphertext !== '',
  );
  expect(after).toEqual([true, true, false]);
});

test('appends go on while partitions come and go', async () => {
  const s = await rig.open();
  const chat = await s.chat(2);
  let day = 40_000;
  let over = false;
  const tending = (async () => {
    for (; day < 40_012; day++) await keep(day * DAY_MS, 2);
    over = true;
  })();
  const sent = [];
  while (!over) {
    const message = s.message(chat, chat.head + 1, { sentAt: at(day + 1) });
    expect(await s.append(s.request(chat, [message]))).toEqual({ outcome: 'ok' });
    chat.head++;
    sent.push(message);
  }
  await tending;
  expect(sent.length).toBeGreaterThan(5);
  const stored = (await s.fetch(chat.users[0]!, chat.chatId, 0, 1_000_000)).messages;
  expect(stored.map(({ serverMsgId }) => serverMsgId)).toEqual(sent.map(({ serverMsgId }) => serverMsgId));
});

test.each([0, -1, 1.5])('%d days to keep are refused', async (days) => {
  await expect(keep(Date.now(), days)).rejects.toThrow('not a whole number from 1');
});

test('a read touches the partition of its day alone', async () => {
  const day = 50_000;
  await keep(day * DAY_MS);
  const s = await rig.open();
  const chat = await s.chat(2);
  await s.append(s.request(chat, [s.message(chat, 1, { sentAt: at(day) })]));
  const text = `SELECT ${MESSAGE_COLUMNS} FROM messages m ${MESSAGE_BODY} WHERE m.chat_id = ${chat.chatId.slice(2)}`;
  const plan = (await rig.sql(`EXPLAIN (ANALYZE, COSTS OFF) ${text}`)) as { 'QUERY PLAN': string }[];
  const executed = plan
    .map((row) => row['QUERY PLAN'])
    .filter((line) => line.includes('on bodies_') && !line.includes('never executed'));
  expect(executed.length).toBe(1);
});
