import type { ChatId, ServerMsgId, UserId } from '../../../core/contract/ids.ts';
import type { ChatSummary, ReceiptRecord, ReceiptType } from '../../../core/contract/records.ts';
import type { ListChatsRequest, ListChatsResult } from '../../../core/contract/store.ts';
import type { Micros } from '../../../core/contract/time.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { type Row, spansOf, text } from './message-row.ts';
import { requireDecimal } from './postgres-id.ts';

const NO_KEYS: readonly string[] = [];
const NO_RECEIPTS: readonly ReceiptRecord[] = [];

/**
 * Lists the chats of many devices at once, each with its cursor and, in small chats, how far the others are.
 * @param receiptMembers largest number of current members of a chat whose watermarks are listed.
 */
export function listGroup(receiptMembers: number): GroupKind<ListChatsRequest, ListChatsResult> {
  return {
    name: 'list-chats',
    failed: { outcome: 'failed' },
    unknown: { outcome: 'failed' },
    // A guess at the chats of a user.
    items: () => 32,
    bytes: () => 0,
    keys: () => NO_KEYS,
    run(connection, requests, done) {
      const users = new ArrayColumn();
      const devices = new ArrayColumn();
      for (const { userId, deviceId } of requests) {
        users.digits(requireDecimal(userId, 'u_'));
        devices.digits(requireDecimal(deviceId, 'd_'));
      }
      const values = [users.literal(), devices.literal()];
      connection.read(
        [
          { name: 'list_chats', text: CHATS, values },
          { name: 'list_receipts', text: RECEIPTS, values: [users.literal(), String(receiptMembers)] },
        ],
        (result) => {
          if (result.kind !== 'committed') {
            done(result);
            return;
          }
          const [chatRows = [], receiptRows = []] = result.rows;
          const summaries = summariesByRequest(chatRows, receiptsByChat(receiptRows));
          done({
            kind: 'done',
            results: requests.map((_, i) => ({
              outcome: 'ok',
              chats: summaries.get(i + 1) ?? [],
              complete: true,
            })),
          });
        },
      );
    },
  };
}

/** Who never saw anything of a chat (added and removed again at one seq) is a stranger to it. */
const CHATS = `
  SELECT r.request, c.chat_id, c.head, coalesce(k.seq, 0), m.span_after, m.span_up_to
    FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS r(usr, device, request)
    JOIN members m ON m.user_id = r.usr AND m.span_after <> '{}'
    JOIN chats c ON c.chat_id = m.chat_id
    LEFT JOIN cursors k ON k.user_id = r.usr AND k.device_id = r.device AND k.chat_id = m.chat_id
   ORDER BY r.request, c.chat_id`;

/** Only receipts for messages that the user may see: the message id in a receipt tells that there is a message. */
const RECEIPTS = `
  SELECT r.request, w.chat_id, w.user_id,
         w.delivered_seq, w.delivered_id, w.delivered_at, w.read_seq, w.read_id, w.read_at,
         EXISTS (SELECT FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to)
                  WHERE s.after < w.delivered_seq AND w.delivered_seq <= s.up_to),
         EXISTS (SELECT FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to)
                  WHERE s.after < w.read_seq AND w.read_seq <= s.up_to)
    FROM unnest($1::bigint[]) WITH ORDINALITY AS r(usr, request)
    JOIN members m ON m.user_id = r.usr
    JOIN chats c ON c.chat_id = m.chat_id AND c.current_members <= $2::int
    JOIN watermarks w ON w.chat_id = m.chat_id AND w.user_id <> r.usr
   ORDER BY r.request, w.chat_id, w.user_id`;

function summariesByRequest(
  rows: readonly Row[],
  receipts: ReadonlyMap<string, readonly ReceiptRecord[]>,
): Map<number, ChatSummary[]> {
  const byRequest = new Map<number, ChatSummary[]>();
  for (const row of rows) {
    const request = Number(row[0]);
    const summary = {
      chatId: `c_${text(row, 1)}` as ChatId,
      head: Number(row[2]),
      cursor: Number(row[3]),
      spans: spansOf(row[4], row[5]),
      receipts: receipts.get(`${text(row, 0)} ${text(row, 1)}`) ?? NO_RECEIPTS,
    };
    const list = byRequest.get(request);
    if (list === undefined) byRequest.set(request, [summary]);
    else list.push(summary);
  }
  return byRequest;
}

function receiptsByChat(rows: readonly Row[]): Map<string, ReceiptRecord[]> {
  const byChat = new Map<string, ReceiptRecord[]>();
  for (const row of rows) {
    const key = `${text(row, 0)} ${text(row, 1)}`;
    const list = byChat.get(key) ?? [];
    if (row[9] === 't') list.push(receiptOf(row, 'DELIVERED', 3));
    if (row[10] === 't') list.push(receiptOf(row, 'READ', 6));
    byChat.set(key, list);
  }
  return byChat;
}

function receiptOf(row: Row, type: ReceiptType, at: number): ReceiptRecord {
  return {
    chatId: `c_${text(row, 1)}` as ChatId,
    userId: `u_${text(row, 2)}` as UserId,
    type,
    seq: Number(row[at]),
    serverMsgId: `m_${text(row, at + 1)}` as ServerMsgId,
    at: Number(row[at + 2]) as Micros,
  };
}
