import { expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../contract/ids.ts';
import { OPEN_END, type StoredMessage } from '../contract/records.ts';
import { micros } from '../contract/time.ts';
import { countReceipts } from './count-receipts.ts';

const message = (seq: number, from: string): StoredMessage => ({
  chatId: chatId('c_1'),
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  clientMsgId: clientMsgId(`k${seq}`),
  from: userId(from),
  fromDevice: deviceId('d_1'),
  ciphertext: 'AAAA',
  mediaIds: [],
  sentAt: micros(1),
});
const mark = (seq: number, at: number) => (seq === 0 ? undefined : { seq, at: micros(at) });
const member = (user: string, delivered: number, read: number, after = 0, upTo = OPEN_END) => ({
  userId: userId(user),
  spans: [{ after, upTo }],
  delivered: mark(delivered, 10 * delivered),
  read: mark(read, 10 * read + 5),
});

it('counts each member once who may see the message, has it, and did not write it', () => {
  const members = [
    member('u_1', 3, 3),
    member('u_2', 3, 1),
    member('u_3', 1, 0),
    // Joined after #2, left after #1, was never there.
    member('u_4', 3, 3, 2),
    member('u_5', 1, 1, 0, 1),
    member('u_6', 0, 0),
  ];
  const counts = countReceipts([message(1, 'u_1'), message(2, 'u_1'), message(3, 'u_2')], members);
  expect(counts.map((c) => `${c.seq} of ${c.from}: ${c.deliveredCount}/${c.readCount} at ${c.at}`)).toEqual([
    '1 of u_1: 3/2 at 30',
    '2 of u_1: 1/0 at 30',
    '3 of u_2: 2/2 at 35',
  ]);
});
