import assert from 'node:assert/strict';
import { OPEN_END } from '../../../../core/contract/records.ts';
import type { Behaviour } from '../message-store.contract.ts';
import { receipt, the } from './store-under-test.ts';

export const deviceBehaviours: readonly Behaviour[] = [
  [
    'each opening of a device gets a higher epoch, also when many come at once',
    async (s) => {
      const [user, device] = [s.user(), s.device()];
      const results = await Promise.all(Array.from({ length: 12 }, () => s.openDevice(user, device)));
      const epochs = results.map((result) => (result.outcome === 'ok' ? result.epoch : 0));
      assert.deepEqual(
        epochs.toSorted((a, b) => a - b),
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
      );
      assert.deepEqual(await s.openDevice(user, device), { outcome: 'ok', epoch: 13, confirmed: false });
      assert.deepEqual(await s.openDevice(user, s.device()), { outcome: 'ok', epoch: 1, confirmed: false });
    },
  ],
  [
    'a device stays confirmed once it was',
    async (s) => {
      const [user, device, other] = [s.user(), s.device(), s.device()];
      const confirmed = async (each: typeof device) => {
        const result = await s.openDevice(user, each);
        return result.outcome === 'ok' && result.confirmed;
      };
      assert.equal(await confirmed(device), false);
      s.store.confirmDevice({ userId: user, deviceId: device });
      // Nobody is told when it has happened.
      for (let times = 0; !(await confirmed(device)); times++) assert(times < 1_000, 'never confirmed');
      assert.equal(await confirmed(device), true);
      assert.equal(await confirmed(other), false);
    },
  ],
  [
    'a device seen for the first time starts at the last seq its user may see; later chats start from 0',
    async (s) => {
      const [chat, left, returned] = [await s.chat(2), await s.chat(2), await s.chat(2)];
      const user = the(chat.users[1]);
      await Promise.all([s.appendSome(chat, 3), s.appendSome(left, 4), s.appendSome(returned, 5)]);
      await s.setSpans(left, user, [{ after: 0, upTo: 2 }]);
      await s.setSpans(returned, user, [
        { after: 0, upTo: 1 },
        { after: 5, upTo: OPEN_END },
      ]);
      const device = s.device();
      await s.openDevice(user, device);
      // On every shard but the user's home it is the list that sees the device.
      await s.list(user, device);
      const later = await s.chat([user, s.user()]);
      await s.appendSome(later, 2);
      await s.appendSome(chat, 1);
      await s.openDevice(user, device);
      const listed = new Map((await s.list(user, device)).map((each) => [each.chatId, each]));
      const cursors = [chat, left, returned, later].map(({ chatId }) => the(listed.get(chatId)).cursor);
      assert.deepEqual(cursors, [3, 2, 1, 0]);
      const heads = [chat, left, returned, later].map(({ chatId }) => the(listed.get(chatId)).head);
      assert.deepEqual(heads, [4, 4, 5, 2]);
      assert.deepEqual(the(listed.get(left.chatId)).spans, [{ after: 0, upTo: 2 }]);
      assert.equal(listed.size, 4);
    },
  ],
  [
    'cursors belong to a device, and only DELIVERED moves them, only forward',
    async (s) => {
      const chat = await s.chat(2);
      const [phone, tablet] = [s.device(), s.device()];
      const user = the(chat.users[1]);
      await s.openDevice(user, phone);
      await s.openDevice(user, tablet);
      // As every session does: the chat may lie on another shard than the user, which knows the devices from here on.
      for (const device of [phone, tablet]) await s.list(user, device);
      const messages = await s.appendSome(chat, 3);
      await s.saveReceipts(
        receipt('DELIVERED', the(messages[1]), user, phone),
        receipt('DELIVERED', the(messages[0]), user, phone),
      );
      await s.saveReceipts(receipt('READ', the(messages[2]), user, tablet));
      await s.saveReceipts(receipt('DELIVERED', the(messages[0]), user, phone));
      const cursor = async (device: typeof phone) => the((await s.list(user, device))[0]).cursor;
      assert.deepEqual([await cursor(phone), await cursor(tablet)], [2, 0]);
    },
  ],
  [
    'lists of many devices at once get each their own chats',
    async (s) => {
      const chats = await Promise.all(Array.from({ length: 20 }, () => s.chat(2)));
      const lists = await Promise.all(chats.map((chat) => s.list(the(chat.users[1]), s.device())));
      lists.forEach((list, i) =>
        assert.deepEqual(
          list.map((each) => each.chatId),
          [the(chats[i]).chatId],
        ),
      );
      assert.deepEqual(await s.list(s.user(), s.device()), []);
    },
  ],
];
