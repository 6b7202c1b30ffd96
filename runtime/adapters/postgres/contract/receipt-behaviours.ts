import assert from 'node:assert/strict';
import type { UserId } from '../../../../core/contract/ids.ts';
import { OPEN_END, type StoredMessage } from '../../../../core/contract/records.ts';
import type { Behaviour } from '../message-store.contract.ts';
import { receipt, type StoreUnderTest, type TestChat, the } from './store-under-test.ts';

/** The moves that the outbox announces, as "DELIVERED 3". */
async function moves(s: StoreUnderTest, chat: TestChat): Promise<string[]> {
  const found: string[] = [];
  for (const row of await s.outboxOf(chat.chatId)) {
    if (row.kind === 'receipt') found.push(`${row.receipt.type} ${row.receipt.seq}`);
  }
  return found;
}

async function watermarks(s: StoreUnderTest, chat: TestChat, seenBy: UserId): Promise<string[]> {
  const [listed] = await s.list(seenBy, s.device());
  return the(listed)
    .receipts.map((each) => `${each.userId} ${each.type} ${each.seq}`)
    .toSorted();
}

async function started(s: StoreUnderTest, messages: number, members = 2) {
  const chat = await s.chat(members);
  const [sender, reader] = chat.users as [UserId, UserId];
  const device = s.device();
  await s.openDevice(reader, device);
  return { chat, sender, reader, device, sent: await s.appendSome(chat, messages) };
}

export const receiptBehaviours: readonly Behaviour[] = [
  [
    'each move of a watermark is announced once; repeats and older receipts change nothing',
    async (s) => {
      const { chat, sender, reader, device, sent } = await started(s, 5);
      const of = (type: 'DELIVERED' | 'READ', seq: number) =>
        receipt(type, the(sent[seq - 1]), reader, device);
      await s.saveReceipts(of('DELIVERED', 2), of('DELIVERED', 2), of('DELIVERED', 1), of('DELIVERED', 4));
      await s.saveReceipts(of('DELIVERED', 3));
      await s.saveReceipts(of('READ', 3), of('READ', 2));
      assert.deepEqual(await moves(s, chat), ['DELIVERED 2', 'DELIVERED 4', 'READ 3']);
      assert.deepEqual(await watermarks(s, chat, sender), [`${reader} DELIVERED 4`, `${reader} READ 3`]);
    },
  ],
  [
    'READ implies DELIVERED',
    async (s) => {
      const { chat, sender, reader, device, sent } = await started(s, 2);
      await s.saveReceipts(receipt('READ', the(sent[1]), reader, device));
      assert.deepEqual(await moves(s, chat), ['DELIVERED 2', 'READ 2']);
      assert.deepEqual(await watermarks(s, chat, sender), [`${reader} DELIVERED 2`, `${reader} READ 2`]);
    },
  ],
  [
    'an announcement carries the whole receipt to its recipients; without recipients there is none',
    async (s) => {
      const { chat, sender, reader, device, sent } = await started(s, 2);
      const recipients = [sender, s.user()];
      const write = receipt('DELIVERED', the(sent[0]), reader, device, { recipients });
      await s.saveReceipts(write, receipt('DELIVERED', the(sent[1]), reader, device, { recipients: [] }));
      const rows = (await s.outboxOf(chat.chatId)).filter((row) => row.kind === 'receipt');
      const { chatId, userId, type, seq, serverMsgId, at } = write;
      const expected = {
        kind: 'receipt',
        receipt: { chatId, userId, type, seq, serverMsgId, at },
        recipients,
      };
      assert.deepEqual(
        rows.map(({ id: _, ...row }) => row),
        [expected],
      );
      assert.deepEqual(await watermarks(s, chat, sender), [`${reader} DELIVERED 2`]);
    },
  ],
  [
    'a receipt known by message id counts up to the cursor, as it stands at its turn, and no further',
    async (s) => {
      const { chat, reader, device, sent } = await started(s, 4);
      const byId = (type: 'DELIVERED' | 'READ', m: StoredMessage) =>
        receipt(type, m, reader, device, { seq: undefined });
      await s.saveReceipts(byId('READ', the(sent[0]))); // the cursor is 0
      await s.saveReceipts(
        receipt('DELIVERED', the(sent[1]), reader, device),
        byId('READ', the(sent[1])),
        byId('READ', the(sent[2])),
      );
      await s.saveReceipts(byId('DELIVERED', the(sent[3])), byId('READ', s.message(chat, 1)));
      assert.deepEqual(await moves(s, chat), ['DELIVERED 2', 'READ 2']);
      assert.equal(the((await s.list(reader, device))[0]).cursor, 2);
    },
  ],
  [
    'a receipt known by message id counts for nothing that its user may not see',
    async (s) => {
      const { chat, sent } = await started(s, 3);
      const [late, device] = [s.user(), s.device()];
      await s.setSpans(chat, late, [{ after: 3, upTo: OPEN_END }]);
      await s.openDevice(late, device);
      const [seen] = await s.appendSome(chat, 1);
      const byId = (m: StoredMessage) => receipt('READ', m, late, device, { seq: undefined });
      await s.saveReceipts(receipt('DELIVERED', the(seen), late, device), byId(the(sent[2])));
      assert.deepEqual(await moves(s, chat), ['DELIVERED 4']);
      await s.saveReceipts(byId(the(seen)));
      assert.deepEqual(await moves(s, chat), ['DELIVERED 4', 'READ 4']);
    },
  ],
  [
    'a receipt known by seq finds its message; where there is none only the cursor moves',
    async (s) => {
      const { chat, sender, reader, device, sent } = await started(s, 3);
      await s.saveReceipts(receipt('DELIVERED', the(sent[1]), reader, device, { serverMsgId: undefined }));
      await s.saveReceipts(
        receipt('DELIVERED', s.message(chat, 9), reader, device, { serverMsgId: undefined }),
      );
      const [listed] = await s.list(sender, s.device());
      assert.deepEqual(
        the(listed).receipts.map((each) => each.serverMsgId),
        [the(sent[1]).serverMsgId],
      );
      assert.deepEqual(await moves(s, chat), ['DELIVERED 2']);
      assert.equal(the((await s.list(reader, device))[0]).cursor, 9);
    },
  ],
  [
    'a receipt for a seq that no message has hides none that comes behind it',
    async (s) => {
      const { chat, reader, device, sent } = await started(s, 2);
      const nothing = { serverMsgId: undefined, seq: 9 };
      await s.saveReceipts(
        receipt('DELIVERED', the(sent[0]), reader, device, nothing),
        receipt('DELIVERED', the(sent[1]), reader, s.device()),
      );
      assert.deepEqual(await moves(s, chat), ['DELIVERED 2']);
    },
  ],
  [
    'a message id of another chat is no message of this one',
    async (s) => {
      const [here, there] = [await started(s, 1), await started(s, 1)];
      const { chat, reader, device, sent } = here;
      await s.saveReceipts(receipt('DELIVERED', the(sent[0]), reader, device));
      const { serverMsgId } = the(there.sent[0]);
      await s.saveReceipts(receipt('READ', the(sent[0]), reader, device, { serverMsgId, seq: undefined }));
      assert.deepEqual(await moves(s, chat), ['DELIVERED 1']);
    },
  ],
  [
    'devices of one user share his watermark',
    async (s) => {
      const { chat, reader, device, sent } = await started(s, 3);
      await s.saveReceipts(
        receipt('DELIVERED', the(sent[2]), reader, device),
        receipt('DELIVERED', the(sent[1]), reader, s.device()),
      );
      assert.deepEqual(await moves(s, chat), ['DELIVERED 3']);
    },
  ],
  [
    'receipts of many users at once move each watermark once',
    async (s) => {
      const chat = await s.chat(24);
      const sent = await s.appendSome(chat, 3);
      const devices = chat.users.map(() => s.device());
      await Promise.all(
        [...sent, ...sent].flatMap((message) =>
          chat.users.map((user, i) => s.saveReceipts(receipt('DELIVERED', message, user, the(devices[i])))),
        ),
      );
      const announced = await moves(s, chat);
      assert.equal(announced.filter((move) => move === 'DELIVERED 3').length, 24);
      assert.equal(announced.length, 72);
    },
  ],
  [
    'the first DELIVERED and READ of each message is remembered for each who may see it, but the sender',
    async (s) => {
      const { chat, reader, device, sent } = await started(s, 4, 3);
      const quiet = the(chat.users[2]);
      const at = (time: number) => ({ at: time as never });
      await s.saveReceipts(receipt('DELIVERED', the(sent[1]), reader, device, at(100)));
      await s.saveReceipts(receipt('DELIVERED', the(sent[2]), reader, device, at(200)));
      await s.saveReceipts(receipt('READ', the(sent[1]), reader, device, at(300)));
      await s.setSpans(chat, quiet, [{ after: 2, upTo: OPEN_END }]);
      const of = async (seq: number) => {
        const found = await s.store.receiptsOf(chat.chatId, the(sent[seq - 1]).serverMsgId);
        const sorted = the(found).receipts.toSorted((a) => (a.userId === reader ? -1 : 1));
        return [the(found).seq, ...sorted.map((each) => [each.userId, each.deliveredAt, each.readAt])];
      };
      assert.deepEqual(await of(1), [1, [reader, 100, 300]]);
      assert.deepEqual(await of(3), [3, [reader, 200, undefined], [quiet, undefined, undefined]]);
      assert.deepEqual(await of(4), [4, [reader, undefined, undefined], [quiet, undefined, undefined]]);
      const other = await s.chat(2);
      assert.equal(await s.store.receiptsOf(other.chatId, the(sent[0]).serverMsgId), undefined);
      assert.equal(await s.store.receiptsOf(chat.chatId, s.message(chat, 1).serverMsgId), undefined);
    },
  ],
];
