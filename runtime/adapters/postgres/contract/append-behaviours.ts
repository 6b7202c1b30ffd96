import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Behaviour } from '../message-store.contract.ts';
import { asFound, type TestChat, the } from './store-under-test.ts';

const OK = { outcome: 'ok' };
const STALE = { outcome: 'stale' };

export const appendBehaviours: readonly Behaviour[] = [
  [
    'append writes messages, every field as given, and moves the head',
    async (s) => {
      const chat = await s.chat(2);
      const messages = [
        s.message(chat, 1, { mediaIds: [s.media(), s.media()] }),
        s.message(chat, 2, { ciphertext: '' }),
        s.message(chat, 3, { ciphertext: 'NULL' }),
        s.message(chat, 4, { ciphertext: randomBytes(64 * 1024).toString('base64') }),
      ];
      assert.deepEqual(await s.append(s.request(chat, messages)), OK);
      const page = await s.fetch(the(chat.users[1]), chat.chatId);
      assert.deepEqual(page.messages, messages);
      assert.equal(page.head, 4);
      assert.equal((await s.record(chat.chatId)).head, 4);
    },
  ],
  [
    'append with another head or version, or to no chat, is stale and writes nothing',
    async (s) => {
      const chat = await s.chat(2);
      await s.appendSome(chat, 2);
      const attempt = (head: number, version: number) => {
        const other = { ...chat, head, version };
        return s.append(s.request(other, [s.message(other, head + 1)]));
      };
      assert.deepEqual(await attempt(1, 0), STALE);
      assert.deepEqual(await attempt(3, 0), STALE);
      assert.deepEqual(await attempt(2, 1), STALE);
      const nowhere = { ...chat, chatId: s.chatId(), head: 0 };
      assert.deepEqual(await s.append(s.request(nowhere, [s.message(nowhere, 1)])), STALE);
      assert.equal((await s.fetch(the(chat.users[0]), chat.chatId)).messages.length, 2);
    },
  ],
  [
    'a send key that is a message already is a duplicate, names that message, and spoils its whole request',
    async (s) => {
      const chat = await s.chat(2);
      const [first] = await s.appendSome(chat, 1);
      const again = s.message(chat, 3, { clientMsgId: the(first).clientMsgId });
      const result = await s.append(s.request(chat, [s.message(chat, 2), again]));
      assert.deepEqual(result, { outcome: 'duplicate', found: [asFound(first, false)] });
      const page = await s.fetch(the(chat.users[0]), chat.chatId);
      assert.deepEqual([page.head, page.messages.length], [1, 1]);
      await s.appendSome(chat, 1); // the head is still what it was
    },
  ],
  [
    'a send that comes again is compared with what it said, byte for byte, by an append and by a load',
    async (s) => {
      const chat = await s.chat(2);
      const long = randomBytes(64 * 1024).toString('base64');
      const sent = ['', 'QQ==', long].map((ciphertext, i) => s.message(chat, i + 1, { ciphertext }));
      assert.deepEqual(await s.append(s.request(chat, sent)), OK);
      const others = ['QQ==', 'QUE=', `${long.startsWith('B') ? 'C' : 'B'}${long.slice(1)}`];
      const altered = sent.map((message, i) => ({ ...message, ciphertext: the(others[i]) }));
      for (const [asked, same] of [
        [sent, true],
        [altered, false],
      ] as const) {
        const found = sent.map((message) => asFound(message, same));
        const loaded = await s.load(chat.chatId, asked);
        assert(loaded.outcome === 'ok');
        assert.deepEqual(loaded.found, found);
        const again = asked.map((message, i) => ({
          ...message,
          serverMsgId: s.message(chat, 1).serverMsgId,
          seq: 4 + i,
        }));
        const result = await s.append(s.request({ ...chat, head: 3 }, again));
        assert.deepEqual(result, { outcome: 'duplicate', found });
      }
    },
  ],
  [
    'a send key is taken in every chat of the shard, and each sender has keys of his own',
    async (s) => {
      const [a, b] = (await s.neighbours(2)) as [TestChat, TestChat];
      const [first] = await s.appendSome(a, 1);
      const elsewhere = s.message(b, 1, { from: the(first).from, clientMsgId: the(first).clientMsgId });
      assert.deepEqual(await s.append(s.request(b, [elsewhere])), {
        outcome: 'duplicate',
        found: [asFound(first)],
      });
      const other = s.message(b, 1, { from: the(b.users[1]), clientMsgId: the(first).clientMsgId });
      assert.deepEqual(await s.append(s.request(b, [other])), OK);
    },
  ],
  [
    'of appends to one chat at once exactly one happens',
    async (s) => {
      const chat = await s.chat(2);
      const attempts = Array.from({ length: 20 }, () => s.append(s.request(chat, [s.message(chat, 1)])));
      const outcomes = (await Promise.all(attempts)).map((result) => result.outcome);
      assert.deepEqual(outcomes.toSorted(), ['ok', ...Array.from({ length: 19 }, () => 'stale')]);
      assert.equal((await s.fetch(the(chat.users[0]), chat.chatId)).messages.length, 1);
    },
  ],
  [
    'of one send to many chats at once exactly one happens, the others name it',
    async (s) => {
      const chats = await s.neighbours(12);
      const from = s.user();
      const { clientMsgId } = s.message(the(chats[0]), 1);
      const messages = chats.map((chat) => s.message(chat, 1, { from, clientMsgId, ciphertext: 'QQ==' }));
      const results = await Promise.all(
        chats.map((chat, i) => s.append(s.request(chat, [the(messages[i])]))),
      );
      const written = messages.filter((_, i) => the(results[i]).outcome === 'ok');
      assert.equal(written.length, 1);
      for (const result of results) {
        if (result.outcome !== 'ok')
          assert.deepEqual(result, { outcome: 'duplicate', found: written.map((m) => asFound(m)) });
      }
    },
  ],
  [
    'appends to many chats at once are decided one by one',
    async (s) => {
      const chats = await s.neighbours(30);
      const [taken] = await s.appendSome(the(chats[0]), 1);
      const results = await Promise.all(
        chats.map((chat, i) => {
          if (i % 3 === 1) return s.append(s.request({ ...chat, head: 7 }, [s.message(chat, 8)]));
          const clientMsgId =
            i % 3 === 2 ? { clientMsgId: the(taken).clientMsgId, from: the(taken).from } : {};
          return s.append(s.request(chat, [s.message(chat, chat.head + 1, clientMsgId)]));
        }),
      );
      results.forEach((result, i) => assert.equal(result.outcome, ['ok', 'stale', 'duplicate'][i % 3]));
      const heads = await Promise.all(chats.map(async (chat) => (await s.record(chat.chatId)).head));
      heads.forEach((head, i) => assert.equal(head, (i === 0 ? 1 : 0) + (i % 3 === 0 ? 1 : 0)));
    },
  ],
  [
    'every claimed instance is another number, from 1',
    async (s) => {
      const numbers = await Promise.all(Array.from({ length: 40 }, () => s.store.claimInstance()));
      assert.equal(new Set(numbers).size, 40);
      for (const number of numbers) assert(Number.isSafeInteger(number) && number >= 1);
    },
  ],
];
