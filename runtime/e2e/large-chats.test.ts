import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ChatId, UserId } from '../../core/contract/ids.ts';
import { MILLISECOND, MINUTE } from '../../core/contract/time.ts';
import { createHttpCalls, type HttpCalls } from '../client/http-calls.ts';
import type { RawDevice, WireFrame } from './frame-log.ts';
import { connectRaw, fetchDevToken } from './raw-device.ts';
import { startTestServer, type TestServer } from './test-server.ts';

/** Groups beyond the limits at which receipts are counted, and at which inactive members look for themselves; both made small. */

const RECEIPT_MEMBERS = 3;
const HUGE = 6;
const DISTANCE = 2;

let server: TestServer;
const open: RawDevice[] = [];
let lastUser = 800;

beforeAll(async () => {
  server = await startTestServer({
    receiptMembers: RECEIPT_MEMBERS,
    countInterval: 50 * MILLISECOND,
    hugeGroup: HUGE,
    activeDistance: DISTANCE,
    // Nobody finds anything by looking now and then: within a test only OPEN does.
    openHeadCheck: 5 * MINUTE,
    headCheck: 10 * MINUTE,
  });
});
afterAll(async () => {
  await Promise.all(open.map((device) => device.close()));
  await server?.stop();
});

const api = (user: string): HttpCalls =>
  createHttpCalls(server.url, () => fetchDevToken(server.url, user, 'api'));

/** A group with a device of each member, the owner first. */
async function group(size: number): Promise<{
  readonly chatId: ChatId;
  readonly users: readonly UserId[];
  readonly devices: readonly RawDevice[];
}> {
  const users = Array.from({ length: size }, () => `u_${++lastUser}` as UserId);
  const [owner, ...others] = users as [UserId, ...UserId[]];
  const { chatId } = await api(owner).createChat('group', others);
  const devices = await Promise.all(users.map((user) => connectRaw({ url: server.url, user })));
  open.push(...devices);
  return { chatId, users, devices };
}

async function send(from: RawDevice, chatId: ChatId): Promise<WireFrame> {
  const clientMsgId = crypto.randomUUID();
  from.send({ frame: 'SEND', clientMsgId, chatId, ciphertext: 'aGk=', mediaIds: [] });
  const answer = await from.next((frame) => frame['clientMsgId'] === clientMsgId);
  expect(answer).toMatchObject({ frame: 'ACK' });
  return answer;
}

const isMessage =
  (seq: number) =>
  (frame: WireFrame): boolean =>
    frame.frame === 'MESSAGE' && frame['seq'] === seq;
const isReceipt = ({ frame }: WireFrame): boolean => frame === 'RECEIPT';
const told =
  (fields: Readonly<Record<string, unknown>>) =>
  (frame: WireFrame): boolean =>
    isReceipt(frame) && Object.entries(fields).every(([key, value]) => frame[key] === value);

function acknowledge(device: RawDevice, message: WireFrame, type: 'DELIVERED' | 'READ' = 'DELIVERED'): void {
  device.send({ frame: 'RECEIPT', chatId: message['chatId'], serverMsgId: message['serverMsgId'], type });
}

test('in a small group receipts come one by one, with their names and no counts', async () => {
  const { chatId, users, devices } = await group(RECEIPT_MEMBERS);
  const [sender, first] = devices as [RawDevice, RawDevice];
  await send(sender, chatId);
  acknowledge(first, await first.next(isMessage(1)));
  const receipt = await sender.next(isReceipt);
  expect(receipt).toMatchObject({ chatId, userId: users[1], type: 'DELIVERED' });
  expect(receipt).not.toHaveProperty('deliveredCount');
});

test('above the limit the sender alone is told how many have it and have read it, up to the truth and never back', async () => {
  const { chatId, devices } = await group(RECEIPT_MEMBERS + 2);
  const [sender, ...others] = devices as [RawDevice, ...RawDevice[]];
  sender.send({ frame: 'OPEN', chatId });
  const { serverMsgId } = await send(sender, chatId);
  const messages = await Promise.all(others.map((device) => device.next(isMessage(1))));
  // One has not got it.
  for (const [i, device] of others.slice(1).entries()) acknowledge(device, messages[i + 1] as WireFrame);
  const delivered = others.length - 1;
  const counted = await sender.next(told({ deliveredCount: delivered }));
  expect(counted).toMatchObject({ chatId, serverMsgId, seq: 1, type: 'DELIVERED', readCount: 0 });
  expect(counted).not.toHaveProperty('userId');
  acknowledge(others[1] as RawDevice, messages[1] as WireFrame, 'READ');
  const read = await sender.next(told({ readCount: 1 }));
  expect(read).toMatchObject({ serverMsgId, type: 'READ', deliveredCount: delivered });

  const counts = sender.frames.filter(isReceipt).map((frame) => Number(frame['deliveredCount']));
  expect(counts).toEqual([...counts].sort((a, b) => a - b));
  expect(Math.max(...counts)).toBe(delivered);
  for (const device of others) expect(device.frames.filter(isReceipt)).toEqual([]);
});

test('a count that came while the chat was closed is told when it is opened', async () => {
  const { chatId, users, devices } = await group(RECEIPT_MEMBERS + 2);
  const [sender, ...others] = devices as [RawDevice, ...RawDevice[]];
  const { serverMsgId } = await send(sender, chatId);
  await sender.close();
  for (const device of others) acknowledge(device, await device.next(isMessage(1)));
  const again = await connectRaw({ url: server.url, user: users[0] as string, cursors: { [chatId]: 1 } });
  open.push(again);
  again.send({ frame: 'OPEN', chatId });
  const all = (frame: WireFrame): boolean => isReceipt(frame) && frame['deliveredCount'] === others.length;
  // The last receipt may be on its way when the chat is opened; then the count of it follows.
  expect(await again.next(all)).toMatchObject({ chatId, serverMsgId, seq: 1 });
});

test('in a huge group an inactive member is pushed nothing, gets everything in order when he opens it, and is active again', async () => {
  const { chatId, devices } = await group(HUGE + 2);
  const [sender, active, idle] = devices as [RawDevice, RawDevice, RawDevice];
  const count = DISTANCE + 6;
  sender.send({ frame: 'OPEN', chatId });
  for (let seq = 1; seq <= count; seq++) {
    await send(sender, chatId);
    // Each message reaches who is active; nobody else of them says that he has it.
    acknowledge(active, await active.next(isMessage(seq)));
    // What is not saved yet does not count for the next message.
    await sender.next(told({ seq, deliveredCount: 1 }));
  }
  const seqs = (): number[] =>
    idle.frames.filter(({ frame }) => frame === 'MESSAGE').map(({ seq }) => Number(seq));
  const pushed = seqs().length;
  expect(pushed).toBeLessThan(count);

  idle.send({ frame: 'OPEN', chatId });
  const last = await idle.next(isMessage(count));
  expect(seqs()).toEqual(Array.from({ length: count }, (_, i) => i + 1));

  acknowledge(idle, last);
  // What is not saved yet does not make him active, and every message more would leave him further behind.
  await sender.next(told({ seq: count, deliveredCount: 2 }));
  await expect
    .poll(async () => {
      await send(sender, chatId);
      return seqs().length;
    })
    .toBeGreaterThan(count);
});
