import type { ServerMsgId, UserId } from '../../../core/contract/ids.ts';
import type { ReceiptCount } from '../../../core/contract/records.ts';
import type { CountReceiptsRequest, CountReceiptsResult } from '../../../core/contract/store.ts';
import type { Micros } from '../../../core/contract/time.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { type Row, text } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';

const NO_KEYS: readonly string[] = [];

/**
 * Counts who has the newest messages of large chats, by the rule of core/receipts/count-receipts.ts. One count reads every
 * member of its chat, which is a matter of milliseconds a thousand members: a group of counts stays small.
 */
export const countGroup: GroupKind<CountReceiptsRequest, CountReceiptsResult> = {
  name: 'count-receipts',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  items: () => 512,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, requests, done) {
    const [chats, froms, limits] = [new ArrayColumn(), new ArrayColumn(), new ArrayColumn()];
    for (const { chatId, from, limit } of requests) {
      chats.digits(decimalOf(chatId, 'c_'));
      // Whom nobody can be, not NULL, which stands for everybody.
      froms.digits(from === undefined ? undefined : (decimalOf(from, 'u_') ?? '-1'));
      limits.digits(limit);
    }
    const values = [chats, froms, limits].map((column) => column.literal());
    connection.read([{ name: 'count_receipts', text: COUNTS, values }], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const counts = requests.map((): ReceiptCount[] => []);
      for (const row of result.rows[0] ?? []) {
        const at = Number(row[0]) - 1;
        const request = requests[at];
        if (request !== undefined) counts[at]?.push(countOf(request, row));
      }
      done({ kind: 'done', results: counts.map((own) => ({ outcome: 'ok', counts: own }) as const) });
    });
  },
};

/** Most members have one span: it is compared without being unfolded. */
const COUNTS = `
  SELECT r.request, n.seq, n.server_msg_id, n.from_user, counted.delivered, counted.seen, counted.at
    FROM unnest($1::bigint[], $2::bigint[], $3::int[]) WITH ORDINALITY AS r(chat, sender, lim, request)
   CROSS JOIN LATERAL (
     SELECT * FROM (
       SELECT x.seq, x.server_msg_id, x.from_user FROM messages x
        WHERE x.chat_id = r.chat ORDER BY x.seq DESC LIMIT r.lim
     ) AS newest
     WHERE r.sender IS NULL OR newest.from_user = r.sender
   ) AS n
   CROSS JOIN LATERAL (
     SELECT count(*) AS delivered, count(*) FILTER (WHERE w.read_seq >= n.seq) AS seen,
            coalesce(max(greatest(w.delivered_at, CASE WHEN w.read_seq >= n.seq THEN w.read_at END)), 0) AS at
       FROM watermarks w
       JOIN members m ON m.chat_id = w.chat_id AND m.user_id = w.user_id
      WHERE w.chat_id = r.chat AND w.delivered_seq >= n.seq AND w.user_id <> n.from_user
        AND CASE cardinality(m.span_after)
              WHEN 1 THEN m.span_after[1] < n.seq AND n.seq <= m.span_up_to[1]
              ELSE EXISTS (SELECT FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to) WHERE s.after < n.seq AND n.seq <= s.up_to)
            END
   ) AS counted
   ORDER BY r.request, n.seq`;

function countOf({ chatId }: CountReceiptsRequest, row: Row): ReceiptCount {
  return {
    chatId,
    seq: Number(row[1]),
    serverMsgId: `m_${text(row, 2)}` as ServerMsgId,
    from: `u_${text(row, 3)}` as UserId,
    deliveredCount: Number(row[4]),
    readCount: Number(row[5]),
    at: Number(row[6]) as Micros,
  };
}
