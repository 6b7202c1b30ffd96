import assert from 'node:assert/strict';
import type { Behaviour } from '../message-store.contract.ts';
import { the } from './store-under-test.ts';

export const outboxBehaviours: readonly Behaviour[] = [
  [
    'each message has one outbox row with its recipients, in the order of the seqs, until it is deleted',
    async (s) => {
      const chat = await s.chat(3);
      const messages = await s.appendSome(chat, 3);
      const rows = await s.outboxOf(chat.chatId);
      assert.deepEqual(
        rows.map(({ id: _, ...row }) => row),
        messages.map((message) => ({ kind: 'message', message, recipients: chat.users })),
      );
      await s.deleteOutbox(rows.slice(0, 2));
      assert.deepEqual(await s.outboxOf(chat.chatId), rows.slice(2));
      await s.deleteOutbox(rows); // again: nothing happens
      assert.deepEqual(await s.outboxOf(chat.chatId), []);
    },
  ],
  [
    'recipients may be too many to list, or none',
    async (s) => {
      const chat = await s.chat(2);
      const messages = [s.message(chat, 1), s.message(chat, 2)];
      await s.append({ ...s.request(chat, messages.slice(0, 1)), recipients: undefined });
      await s.append({ ...s.request({ ...chat, head: 1 }, messages.slice(1)), recipients: [] });
      const rows = await s.outboxOf(chat.chatId);
      assert.deepEqual(
        rows.map((row) => (row.kind === 'message' ? row.recipients : row.kind)),
        [undefined, []],
      );
    },
  ],
  [
    'a read of the outbox leaves out ciphertexts that are longer than what travels',
    async (s) => {
      const chat = await s.chat(2);
      const texts = ['', 'QQ==', Buffer.alloc(6).toString('base64'), Buffer.alloc(9_000).toString('base64')];
      const sent = texts.map((ciphertext, i) => s.message(chat, i + 1, { ciphertext }));
      await s.append(s.request(chat, sent));
      const read = async (inline: number) => {
        const rows = await s.readOutbox(1_000_000, [], inline);
        return rows.flatMap((row) =>
          row.kind === 'message' && row.message.chatId === chat.chatId ? [row.message] : [],
        );
      };
      assert.deepEqual(await read(12_000), sent);
      for (const [inline, kept] of [
        [11_999, 3],
        [8, 3],
        [7, 2],
        [0, 1],
      ] as const) {
        const expected = sent.map((message, i) =>
          i < kept ? message : { ...message, ciphertext: undefined },
        );
        assert.deepEqual(await read(inline), expected);
      }
    },
  ],
  [
    'a refused append announces nothing',
    async (s) => {
      const chat = await s.chat(2);
      const [first] = await s.appendSome(chat, 1);
      await s.append(s.request({ ...chat, head: 0 }, [s.message(chat, 1)]));
      await s.append(s.request(chat, [s.message(chat, 2, { clientMsgId: the(first).clientMsgId })]));
      assert.equal((await s.outboxOf(chat.chatId)).length, 1);
    },
  ],
  [
    'a read of the outbox gives the oldest rows, without the excepted ones',
    async (s) => {
      const chat = await s.chat(2);
      await s.appendSome(chat, 6);
      const all = await s.readOutbox(1_000_000, []);
      const own = new Set((await s.outboxOf(chat.chatId)).map((row) => row.id));
      const others = all.filter((row) => !own.has(row.id)).map((row) => row.id);
      const rows = (await s.outboxOf(chat.chatId)).map((row) => row.id);
      const except = [...others, the(rows[0]), the(rows[3]), 999_999_999];
      const read = await s.readOutbox(3, except);
      assert.deepEqual(
        read.map((row) => row.id),
        [rows[1], rows[2], rows[4]],
      );
    },
  ],
];
