import assert from 'node:assert/strict';
import { OPEN_END } from '../../../../core/contract/records.ts';
import type { MediaRecord } from '../../../ports/message-store.ts';
import type { Behaviour } from '../message-store.contract.ts';
import { type StoreUnderTest, the } from './store-under-test.ts';

const recordOf = (s: StoreUnderTest, fields: Partial<MediaRecord> = {}): MediaRecord => ({
  mediaId: s.media(),
  owner: s.user(),
  size: 5_000_000_000,
  contentType: 'image/jpeg; what="ever"',
  sha256: '0123456789abcdef'.repeat(4),
  createdAt: 1_700_000_000_000_000 as never,
  ...fields,
});

export const mediaBehaviours: readonly Behaviour[] = [
  [
    'a media record is kept as it was first saved; its id is taken from then on',
    async (s) => {
      const record = recordOf(s);
      assert.equal(await s.store.findMedia(record.mediaId), undefined);
      assert.equal(await s.store.saveMedia(record), true);
      assert.equal(await s.store.saveMedia({ ...record, size: 1, owner: s.user() }), false);
      assert.deepEqual(await s.store.findMedia(record.mediaId), record);
    },
  ],
  [
    'an object may be seen by who may see a message of the chat that names it',
    async (s) => {
      const chat = await s.chat(3);
      const [sender, reader, gone] = chat.users as [never, never, never];
      const [here, there] = [s.media(), s.media()];
      const sent = [
        s.message(chat, 1),
        s.message(chat, 2, { mediaIds: [here, there, here] }),
        s.message(chat, 3),
        s.message(chat, 4, { mediaIds: [there] }),
      ];
      assert.deepEqual(await s.append(s.request(chat, sent)), { outcome: 'ok' });
      chat.head = 4;
      const late = s.user();
      await s.setSpans(chat, gone, [{ after: 0, upTo: 1 }]);
      await s.setSpans(chat, late, [{ after: 3, upTo: OPEN_END }]);
      const may = (mediaId: typeof here, userId: typeof late, chatId = chat.chatId) =>
        s.store.maySeeMedia({ mediaId, chatId, userId });
      assert.deepEqual(await Promise.all([may(here, sender), may(here, reader), may(there, late)]), [
        true,
        true,
        true,
      ]);
      const elsewhere = await s.chat([reader, s.user()]);
      const never = await Promise.all([
        may(here, gone),
        may(here, late),
        may(here, s.user()),
        may(s.media(), reader),
        may(here, reader, elsewhere.chatId),
        may(here, reader, s.chatId()),
      ]);
      assert.deepEqual(never, [false, false, false, false, false, false]);
      assert.deepEqual(the((await s.fetch(reader, chat.chatId)).messages[1]).mediaIds, [here, there, here]);
    },
  ],
];
