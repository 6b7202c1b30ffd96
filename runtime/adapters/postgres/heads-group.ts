import type { ChatId } from '../../../core/contract/ids.ts';
import type { ReadHeadsRequest, ReadHeadsResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { text } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';

const NO_KEYS: readonly string[] = [];

/** Reads the heads of many chats for many callers at once. */
export const headsGroup: GroupKind<ReadHeadsRequest, ReadHeadsResult> = {
  name: 'read-heads',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  items: (request) => request.chatIds.length,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, requests, done) {
    const chats = new ArrayColumn();
    for (const { chatIds } of requests) for (const chatId of chatIds) chats.digits(decimalOf(chatId, 'c_'));
    connection.read([{ name: 'read_heads', text: HEADS, values: [chats.literal()] }], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const heads = new Map<string, number>();
      for (const row of result.rows[0] ?? []) heads.set(`c_${text(row, 0)}`, Number(row[1]));
      const results = requests.map(({ chatIds }): ReadHeadsResult => {
        const own: (readonly [ChatId, number])[] = [];
        for (const chatId of chatIds) {
          const head = heads.get(chatId);
          if (head !== undefined) own.push([chatId, head]);
        }
        return { outcome: 'ok', heads: own };
      });
      done({ kind: 'done', results });
    });
  },
};

const HEADS = `
  SELECT c.chat_id, c.head
    FROM (SELECT DISTINCT chat FROM unnest($1::bigint[]) AS r(chat)) AS r JOIN chats c ON c.chat_id = r.chat`;
