import assert from 'node:assert/strict';
import type { UserId } from '../../../../core/contract/ids.ts';
import { OPEN_END, type OutboxRow } from '../../../../core/contract/records.ts';
import type { Behaviour } from '../message-store.contract.ts';
import { receipt, the } from './store-under-test.ts';

const COUNTED = { counted: true, recipients: [] } as const;

/** What is told of chats that are too large to tell everybody everything. */
export const largeChatBehaviours: readonly Behaviour[] = [
  [
    'the size of a chat is its current members, wherever it is told, and 0 for a stranger',
    async (s) => {
      const chat = await s.chat(3);
      const [owner, other] = [the(chat.users[0]), the(chat.users[1])];
      await s.appendSome(chat, 1);
      const sizes = async () => [
        (await s.fetch(owner, chat.chatId)).size,
        the((await s.list(owner, s.device()))[0]).size,
        (await s.memberPage(chat.chatId, 1, undefined, 1, 100)).size,
        (await s.memberPage(chat.chatId, 9, the(chat.users.toSorted().at(-1)), 1, 100)).size,
      ];
      assert.deepEqual(await sizes(), [3, 3, 3, 3]);
      await s.setSpans(chat, other, [{ after: 0, upTo: 1 }]);
      await s.setSpans(chat, s.user(), [{ after: 1, upTo: OPEN_END }]);
      await s.setSpans(chat, s.user(), []);
      assert.deepEqual(await sizes(), [3, 3, 3, 3]);
      await s.setSpans(chat, the(chat.users[2]), [{ after: 0, upTo: 1 }]);
      assert.deepEqual(await sizes(), [2, 2, 2, 2]);
      assert.equal((await s.fetch(s.user(), chat.chatId)).size, 0);
      assert.equal((await s.fetch(owner, s.chatId())).size, 0);
      assert.equal((await s.memberPage(s.chatId(), 1, undefined, 1, 0)).size, 0);
    },
  ],
  [
    'how far each member of a page has come is his watermark, or where his membership began',
    async (s) => {
      const chat = await s.chat(4);
      const users = chat.users.toSorted();
      const [quiet, read, late, gone] = users as [never, never, never, never];
      const sent = await s.appendSome(chat, 6);
      await s.saveReceipts(receipt('DELIVERED', the(sent[1]), read, s.device()));
      await s.saveReceipts(receipt('DELIVERED', the(sent[0]), late, s.device()));
      await s.setSpans(chat, late, [
        { after: 0, upTo: 1 },
        { after: 4, upTo: OPEN_END },
      ]);
      await s.setSpans(chat, gone, [{ after: 0, upTo: 2 }]);
      const page = await s.memberPage(chat.chatId, 6, undefined, 10, 2);
      assert.deepEqual(page, { outcome: 'ok', users: [quiet, read, late], positions: [0, 2, 4], size: 3 });
      const rest = await s.memberPage(chat.chatId, 2, read, 10, 2);
      assert.deepEqual([rest.users, rest.positions], [[gone], [0]]);
    },
  ],
  [
    'who wrote one of the last messages has come as far as that one',
    async (s) => {
      const chat = await s.chat(3);
      const [owner, author, silent] = chat.users as [never, never, never];
      const mine = (seq: number) => s.message(chat, seq, { from: author });
      assert.deepEqual(await s.append(s.request(chat, [mine(1), s.message(chat, 2), mine(3)])), {
        outcome: 'ok',
      });
      chat.head = 3;
      const positions = async (seq: number, within: number, above = 2) => {
        const { users, positions: found } = await s.memberPage(
          chat.chatId,
          seq,
          undefined,
          10,
          above,
          within,
        );
        return [owner, author, silent].map((user) => found[users.indexOf(user)]);
      };
      assert.deepEqual(await positions(4, 3), [2, 3, 0]);
      assert.deepEqual(await positions(4, 1), [0, 3, 0]);
      assert.deepEqual(await positions(3, 2), [2, 1, 0]);
      assert.deepEqual(await positions(3, 1), [2, 0, 0]);
      assert.deepEqual(await positions(3, 0), [0, 0, 0]);
      // Nobody needs them in a chat that is not larger.
      assert.deepEqual(await positions(4, 3, 3), [undefined, undefined, undefined]);
    },
  ],
  [
    'everybody has come as far as the chat had when it last grew beyond a size',
    async (s) => {
      const chat = await s.chat(2);
      const [owner, other] = chat.users as [never, never];
      const third = s.user();
      const span = (after: number) => [{ after, upTo: OPEN_END }];
      const positions = async () => {
        const { users, positions: found } = await s.memberPage(chat.chatId, chat.head, undefined, 10, 0);
        return [owner, other].map((user) => found[users.indexOf(user)]);
      };
      await s.appendSome(chat, 2);
      await s.setSpans(chat, third, span(2), 'member', 3);
      assert.deepEqual(await positions(), [0, 0]);
      await s.setSpans(chat, s.user(), span(2), 'member', 3);
      assert.deepEqual(await positions(), [2, 2]);
      await s.appendSome(chat, 3);
      await s.setSpans(chat, s.user(), span(5), 'member', 3);
      assert.deepEqual(await positions(), [2, 2]);
      await s.setSpans(chat, third, [{ after: 2, upTo: 5 }], 'member', 4);
      await s.setSpans(chat, third, [{ after: 2, upTo: 5 }, ...span(5)], 'member', 4);
      assert.deepEqual(await positions(), [5, 5]);
    },
  ],
  [
    'heads of many chats are read at once; what is none is left out',
    async (s) => {
      const chats = await Promise.all([s.chat(2), s.chat(2), s.chat(2)]);
      await s.appendSome(the(chats[1]), 3);
      const heads = await s.heads(...chats.map(({ chatId }) => chatId), s.chatId());
      assert.deepEqual(new Map(heads), new Map(chats.map(({ chatId }, i) => [chatId, i === 1 ? 3 : 0])));
      assert.deepEqual(await s.heads(), []);
    },
  ],
  [
    'counted receipts ask for one count of their chat, if a watermark moved',
    async (s) => {
      const chat = await s.chat(4);
      const sent = await s.appendSome(chat, 3);
      await s.deleteOutbox(await s.outboxOf(chat.chatId));
      const readers = chat.users.slice(1);
      await s.saveReceipts(
        ...readers.map((reader) => receipt('READ', the(sent[1]), reader, s.device(), COUNTED)),
      );
      const [asked, ...others] = await s.outboxOf(chat.chatId);
      assert.deepEqual(others, []);
      assert.deepEqual(asked, { id: the(asked).id, kind: 'counts', chatId: chat.chatId });
      await s.deleteOutbox([the(asked)]);
      await s.saveReceipts(receipt('DELIVERED', the(sent[0]), the(readers[0]), s.device(), COUNTED));
      assert.deepEqual(await s.outboxOf(chat.chatId), []);
      await s.saveReceipts(
        receipt('DELIVERED', the(sent[2]), the(readers[0]), s.device(), COUNTED),
        receipt('DELIVERED', the(sent[2]), the(readers[1]), s.device()),
      );
      const kinds = (await s.outboxOf(chat.chatId)).map((row: OutboxRow) => row.kind);
      assert.deepEqual(kinds.toSorted(), ['counts', 'receipt']);
    },
  ],
  [
    'a count tells how many have each of the newest messages, but its sender and who may not see it',
    async (s) => {
      const chat = await s.chat(5);
      const [owner, a, b, late, gone] = chat.users as [never, never, never, never, never];
      const sent = await s.appendSome(chat, 4);
      const others = [s.message(chat, 5, { from: a }), s.message(chat, 6, { from: a })];
      assert.deepEqual(await s.append(s.request(chat, others)), { outcome: 'ok' });
      chat.head = 6;
      await s.setSpans(chat, late, [
        { after: 0, upTo: 1 },
        { after: 5, upTo: OPEN_END },
      ]);
      await s.setSpans(chat, gone, [{ after: 0, upTo: 4 }]);
      const at = (time: number) => ({ ...COUNTED, at: time as never });
      await s.saveReceipts(
        receipt('READ', the(others[0]), b, s.device(), at(10)),
        receipt('DELIVERED', the(others[1]), b, s.device(), at(20)),
        receipt('READ', the(others[1]), late, s.device(), at(30)),
        receipt('DELIVERED', the(sent[3]), gone, s.device(), at(40)),
        receipt('DELIVERED', the(others[1]), owner, s.device(), at(50)),
        receipt('READ', the(others[1]), a, s.device(), at(60)),
      );
      const counted = async (from: UserId | undefined, limit: number) =>
        (await s.counts(chat.chatId, from, limit)).map((count) => {
          assert.equal(count.chatId, chat.chatId);
          assert.equal(count.serverMsgId, the([...sent, ...others][count.seq - 1]).serverMsgId);
          return [count.seq, count.from, count.deliveredCount, count.readCount, count.at];
        });
      assert.deepEqual(await counted(undefined, 3), [
        [4, owner, 3, 2, 60],
        [5, a, 2, 1, 50],
        [6, a, 3, 1, 50],
      ]);
      assert.deepEqual(await counted(owner, 3), [[4, owner, 3, 2, 60]]);
      assert.deepEqual(await s.counts(s.chatId(), undefined, 5), []);
    },
  ],
];
