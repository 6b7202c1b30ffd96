import assert from 'node:assert/strict';
import type { Behaviour } from '../message-store.contract.ts';
import { ALWAYS, asFound, member, receipt, type TestChat, the } from './store-under-test.ts';

export const chatBehaviours = (receiptMembers: number): readonly Behaviour[] => [
  [
    'a chat is loaded with all its members, and an unknown one is none',
    async (s) => {
      const chat = await s.chat(3);
      const record = await s.record(chat.chatId);
      const { chatId, kind, head, version } = record;
      assert.deepEqual(
        { chatId, kind, head, version },
        { chatId: chat.chatId, kind: 'group', head: 0, version: 0 },
      );
      const expected = chat.users.map((userId, i) => member(userId, ALWAYS, i === 0 ? 'owner' : 'member'));
      assert.deepEqual(
        record.members.toSorted((a, b) => (a.userId < b.userId ? -1 : 1)),
        expected.toSorted((a, b) => (a.userId < b.userId ? -1 : 1)),
      );
      assert.deepEqual(await s.load(s.chatId()), { outcome: 'no-chat' });
    },
  ],
  [
    'a load finds what earlier sends became, in any chat of the shard',
    async (s) => {
      const [a, b] = (await s.neighbours(2)) as [TestChat, TestChat];
      const [first] = await s.appendSome(a, 1);
      const [second] = await s.appendSome(b, 1);
      const never = s.message(b, 2);
      const loaded = await s.load(b.chatId, [the(first), never, the(second)]);
      assert(loaded.outcome === 'ok');
      const byId = (x: { serverMsgId: string }, y: { serverMsgId: string }) =>
        x.serverMsgId < y.serverMsgId ? -1 : 1;
      assert.deepEqual(loaded.found.toSorted(byId), [asFound(first), asFound(second)].toSorted(byId));
    },
  ],
  [
    'a direct chat of the same two users exists once, whoever asks and however often at once',
    async (s) => {
      const [a, b] = [s.user(), s.user()];
      const results = await Promise.all(
        Array.from({ length: 8 }, (_, i) => {
          const members = (i % 2 === 0 ? [a, b] : [b, a]).map((userId) => member(userId));
          return s.create({ chatId: s.chatId(), kind: 'direct', members });
        }),
      );
      const created = results.filter((result) => result.outcome === 'ok' && result.created);
      assert.equal(created.length, 1);
      const ids = new Set(results.map((result) => result.outcome === 'ok' && result.chatId));
      assert.equal(ids.size, 1);
      const other = await s.chat([a, s.user()], 'direct');
      assert(!ids.has(other.chatId));
      assert.equal((await s.chat([a, b], 'group')).head, 0);
    },
  ],
  [
    'a membership change replaces role and spans, counts the version, and fences what was decided before',
    async (s) => {
      const chat = await s.chat(2);
      await s.appendSome(chat, 2);
      const before = { ...chat };
      const spans = [
        { after: 0, upTo: 1 },
        { after: 2, upTo: the(ALWAYS[0]).upTo },
      ];
      await s.setSpans(chat, the(chat.users[1]), spans, 'admin');
      const newcomer = s.user();
      await s.setSpans(chat, newcomer, [{ after: 2, upTo: the(ALWAYS[0]).upTo }]);
      const record = await s.record(chat.chatId);
      assert.equal(record.version, 2);
      const of = (userId: string) => record.members.find((each) => each.userId === userId);
      assert.deepEqual(of(the(chat.users[1])), member(the(chat.users[1]), spans, 'admin'));
      assert.deepEqual(the(of(newcomer)).spans, [{ after: 2, upTo: the(ALWAYS[0]).upTo }]);
      assert.deepEqual(await s.append(s.request(before, [s.message(before, 3)])), { outcome: 'stale' });
      await s.appendSome(chat, 1);
    },
  ],
  [
    'of membership changes at once, and of a change and an append, one is stale',
    async (s) => {
      const chat = await s.chat(1);
      const { chatId } = chat;
      const change = () =>
        s.changeMember({
          chatId,
          expectHead: chat.head,
          expectVersion: chat.version,
          member: member(s.user()),
          markAbove: 1,
        });
      const outcomes = (await Promise.all([change(), change(), change()])).map((result) => result.outcome);
      assert.deepEqual(outcomes.toSorted(), ['ok', 'stale', 'stale']);
      assert.equal((await s.record(chatId)).members.length, 2);
      // The append may come first, and then the change was decided on another head.
      chat.version = 1;
      const [appended, changed] = await Promise.all([
        s.append(s.request(chat, [s.message(chat, 1)])),
        change(),
      ]);
      assert.deepEqual([appended.outcome, changed.outcome].toSorted(), ['ok', 'stale']);
    },
  ],
  [
    'watermarks of the others are listed in small chats only',
    async (s) => {
      const [small, large] = [await s.chat(receiptMembers), await s.chat(receiptMembers + 1)];
      for (const chat of [small, large]) {
        const [message] = await s.appendSome(chat, 1);
        await s.saveReceipts(receipt('DELIVERED', the(message), the(chat.users[1]), s.device()));
        const [listed] = await s.list(the(chat.users[0]), s.device());
        assert.equal(the(listed).receipts.length, chat === small ? 1 : 0);
      }
    },
  ],
];
