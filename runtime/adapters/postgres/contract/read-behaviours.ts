import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { UserId } from '../../../../core/contract/ids.ts';
import { OPEN_END } from '../../../../core/contract/records.ts';
import type { Behaviour } from '../message-store.contract.ts';
import { the } from './store-under-test.ts';

export const readBehaviours: readonly Behaviour[] = [
  [
    'a fetch gives what follows a seq, ascending, at most the limit, with the head',
    async (s) => {
      const chat = await s.chat(2);
      const messages = await s.appendSome(chat, 9);
      const page = await s.fetch(the(chat.users[1]), chat.chatId, 3, 4);
      assert.deepEqual(page.messages, messages.slice(3, 7));
      assert.equal(page.head, 9);
      assert.deepEqual((await s.fetch(the(chat.users[1]), chat.chatId, 9, 4)).messages, []);
    },
  ],
  [
    'a fetch never leaves out a message of the spans, and pages through them',
    async (s) => {
      const chat = await s.chat(2);
      const messages = await s.appendSome(chat, 12);
      const user = the(chat.users[1]);
      const spans = [
        { after: 1, upTo: 3 },
        { after: 8, upTo: 10 },
        { after: 11, upTo: OPEN_END },
      ];
      await s.setSpans(chat, user, spans);
      const seen: unknown[] = [];
      for (let after = 0; after < 12; ) {
        const page = await s.fetch(user, chat.chatId, after, 2);
        assert.deepEqual([page.head, page.spans], [12, spans]);
        const { messages: found } = page;
        assert(found.length > 0 && found.length <= 2);
        seen.push(...found.filter((m) => spans.some((span) => span.after < m.seq && m.seq <= span.upTo)));
        after = the(found.at(-1)).seq;
      }
      assert.deepEqual(
        seen,
        [2, 3, 9, 10, 12].map((seq) => messages[seq - 1]),
      );
    },
  ],
  [
    'a fetch ends at its size in base64, with one message at least, and says whether it ended there',
    async (s) => {
      const chat = await s.chat(2);
      const lengths = [3_000, 3_001, 60_000, 1, 0, 3_000];
      const messages = lengths.map((length, i) =>
        s.message(chat, i + 1, { ciphertext: randomBytes(length).toString('base64') }),
      );
      await s.append(s.request(chat, messages));
      const user = the(chat.users[1]);
      const read = async (after: number, bytes: number, limit = 100) => {
        const page = await s.fetch(user, chat.chatId, after, limit, bytes);
        assert.deepEqual([page.head, page.size], [6, 2]);
        assert.deepEqual(page.messages, messages.slice(after, after + page.messages.length));
        return [page.messages.length, page.more];
      };
      assert.deepEqual(await read(0, 1), [1, true]);
      assert.deepEqual(await read(0, 8_003), [1, true]);
      assert.deepEqual(await read(0, 8_004), [2, true]);
      assert.deepEqual(await read(2, 1), [1, true]);
      assert.deepEqual(await read(3, 4), [2, true]);
      assert.deepEqual(await read(3, 4_004), [3, false]);
      assert.deepEqual(await read(3, 4_004, 3), [3, true]);
      assert.deepEqual(await read(5, 1), [1, false]);
      assert.deepEqual(await read(6, 1), [0, false]);
      // Each of many pages has a size of its own.
      const pages = await Promise.all([1, 8_004, 1_000_000].map((bytes) => read(0, bytes)));
      assert.deepEqual(pages, [
        [1, true],
        [2, true],
        [6, false],
      ]);
    },
  ],
  [
    'a stranger cannot tell a chat from none',
    async (s) => {
      const chat = await s.chat(2);
      await s.appendSome(chat, 3);
      const nothing = { outcome: 'ok', messages: [], more: false, head: 0, spans: [], size: 0 };
      assert.deepEqual(await s.fetch(s.user(), chat.chatId), nothing);
      assert.deepEqual(await s.fetch(the(chat.users[0]), s.chatId()), nothing);
    },
  ],
  [
    'fetches of many readers at once get each his own page',
    async (s) => {
      const chats = await Promise.all(Array.from({ length: 25 }, () => s.chat(2)));
      const written = await Promise.all(chats.map((chat, i) => s.appendSome(chat, 1 + (i % 4))));
      const pages = await Promise.all(
        chats.map((chat, i) => s.fetch(the(chat.users[i % 2]), chat.chatId, i % 2, 3)),
      );
      pages.forEach((page, i) => {
        assert.deepEqual(page.messages, the(written[i]).slice(i % 2, (i % 2) + 3));
        assert.equal(page.head, the(written[i]).length);
      });
    },
  ],
  [
    'members are paged in the text order of their ids, as of a seq',
    async (s) => {
      const chat = await s.chat(5);
      await s.appendSome(chat, 4);
      const [, left, late] = chat.users;
      await s.setSpans(chat, the(left), [{ after: 0, upTo: 2 }]);
      await s.setSpans(chat, the(late), [{ after: 2, upTo: OPEN_END }]);
      const all = async (seq: number): Promise<string[]> => {
        const users: string[] = [];
        for (;;) {
          const page = await s.members(chat.chatId, seq, users.at(-1) as never, 2);
          users.push(...page);
          if (page.length < 2) return users;
        }
      };
      assert.deepEqual(await all(2), chat.users.filter((user) => user !== late).toSorted());
      assert.deepEqual(await all(3), chat.users.filter((user) => user !== left).toSorted());
      assert.deepEqual(await s.members(s.chatId(), 1, undefined, 10), []);
    },
  ],
  [
    'the text order of ids is not their numeric order',
    async (s) => {
      // Lengths differ: u_10… sorts before u_9….
      const users = ['9', '10', '100', '99'].map((head) => `u_${head}${s.user().slice(-12)}` as UserId);
      const chat = await s.chat(users);
      await s.appendSome(chat, 1);
      const sorted = users.toSorted((a, b) => (a < b ? -1 : 1));
      assert.deepEqual(await s.members(chat.chatId, 1, undefined, 3), sorted.slice(0, 3));
      assert.deepEqual(await s.members(chat.chatId, 1, sorted[0], 2), sorted.slice(1, 3));
    },
  ],
];
