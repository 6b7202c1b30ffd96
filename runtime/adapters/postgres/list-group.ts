import type { ChatId, ServerMsgId, UserId } from '../../../core/contract/ids.ts';
import type { ChatSummary, ReceiptRecord, ReceiptType } from '../../../core/contract/records.ts';
import type { ListChatsRequest, ListChatsResult } from '../../../core/contract/store.ts';
import type { Micros } from '../../../core/contract/time.ts';
import { deviceColumns, registration } from './device-group.ts';
import type { GroupKind, GroupOutcome } from './group-lane.ts';
import { type Row, spansOf, text } from './message-row.ts';
import type { StoreConnection } from './store-connection.ts';

const NO_KEYS: readonly string[] = [];
const NO_RECEIPTS: readonly ReceiptRecord[] = [];

const FAILED = { outcome: 'failed' } as const;

type Finish = (outcome: GroupOutcome<ListChatsResult>) => void;

/**
 * Lists the chats of many devices at once, each with its cursor and, in small chats, how far the others are.
 *
 * A device that this shard has not seen is registered first, as `openDevice` does on its user's home shard. That is found
 * out by the same read, so a device that is known, as nearly all are, costs no round trip more.
 * @param receiptMembers largest number of current members of a chat whose watermarks are listed.
 */
export function listGroup(receiptMembers: number): GroupKind<ListChatsRequest, ListChatsResult> {
  return {
    name: 'list-chats',
    failed: FAILED,
    unknown: FAILED,
    // A guess at the chats of a user.
    items: () => 32,
    bytes: () => 0,
    keys: () => NO_KEYS,
    run(connection, requests, done) {
      list(connection, requests, receiptMembers, (outcome, strangers) => {
        if (outcome.kind !== 'done' || strangers.length === 0) done(outcome);
        else greet(connection, requests, receiptMembers, outcome.results, strangers, done);
      });
    },
  };
}

/** @param done also gets the indices of requests whose device this shard has not seen. */
function list(
  connection: StoreConnection,
  requests: readonly ListChatsRequest[],
  receiptMembers: number,
  done: (outcome: GroupOutcome<ListChatsResult>, strangers: readonly number[]) => void,
): void {
  const values = deviceColumns(requests);
  connection.read(
    [
      { name: 'list_chats', text: CHATS, values },
      { name: 'list_receipts', text: RECEIPTS, values: [values[0], String(receiptMembers)] },
      { name: 'list_strangers', text: STRANGERS, values },
    ],
    (result) => {
      if (result.kind !== 'committed') {
        done(result, []);
        return;
      }
      const [chatRows = [], receiptRows = [], strangerRows = []] = result.rows;
      const summaries = summariesByRequest(chatRows, receiptsByChat(receiptRows));
      const results = requests.map((_, i): ListChatsResult => {
        return { outcome: 'ok', chats: summaries.get(i + 1) ?? [], complete: true };
      });
      done(
        { kind: 'done', results },
        strangerRows.map((row) => Number(row[0]) - 1),
      );
    },
  );
}

/** Registers the devices that were not known, and lists their chats again. */
function greet(
  connection: StoreConnection,
  requests: readonly ListChatsRequest[],
  receiptMembers: number,
  known: readonly ListChatsResult[],
  strangers: readonly number[],
  done: Finish,
): void {
  const theirs = strangers.map((at) => requests[at] as ListChatsRequest);
  const results = [...known];
  const finish = (outcome: GroupOutcome<ListChatsResult>): void => {
    strangers.forEach((at, i) => {
      results[at] = (outcome.kind === 'done' ? outcome.results[i] : undefined) ?? FAILED;
    });
    done({ kind: 'done', results });
  };
  connection.write([registration(deviceColumns(theirs))], (result) => {
    if (result.kind === 'committed') list(connection, theirs, receiptMembers, finish);
    else finish(result);
  });
}

const STRANGERS = `
  SELECT r.request FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS r(usr, device, request)
   WHERE NOT EXISTS (SELECT FROM devices d WHERE d.user_id = r.usr AND d.device_id = r.device)`;

/** Who never saw anything of a chat (added and removed again at one seq) is a stranger to it. */
const CHATS = `
  SELECT r.request, c.chat_id, c.head, coalesce(k.seq, 0), m.span_after, m.span_up_to, c.current_members
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
    const summary: ChatSummary = {
      chatId: `c_${text(row, 1)}` as ChatId,
      head: Number(row[2]),
      cursor: Number(row[3]),
      spans: spansOf(row[4], row[5]),
      size: Number(row[6]),
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
