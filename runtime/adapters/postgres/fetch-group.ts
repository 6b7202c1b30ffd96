import type { Span, StoredMessage } from '../../../core/contract/records.ts';
import type { FetchRequest, FetchResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { MESSAGE_BODY, MESSAGE_COLUMNS, messageOf, type Row, spansOf } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';

const NO_KEYS: readonly string[] = [];
const NO_SPANS: readonly Span[] = [];
const STRANGER: FetchResult = { outcome: 'ok', messages: [], head: 0, spans: NO_SPANS, size: 0 };

/** Reads pages of many chats at once; each page with the head and the spans that were true with it. */
export const fetchGroup: GroupKind<FetchRequest, FetchResult> = {
  name: 'fetch',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  items: (request) => request.limit,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, requests, done) {
    const columns = [new ArrayColumn(), new ArrayColumn(), new ArrayColumn(), new ArrayColumn()] as const;
    const [users, chats, afters, limits] = columns;
    for (const { userId, chatId, afterSeq, limit } of requests) {
      users.digits(decimalOf(userId, 'u_'));
      chats.digits(decimalOf(chatId, 'c_'));
      afters.digits(afterSeq);
      limits.digits(limit);
    }
    connection.read(
      [
        { name: 'fetch_heads', text: HEADS, values: [users.literal(), chats.literal()] },
        { name: 'fetch_messages', text: MESSAGES, values: columns.map((column) => column.literal()) },
      ],
      (result) => {
        if (result.kind !== 'committed') {
          done(result);
          return;
        }
        const [headRows = [], messageRows = []] = result.rows;
        done({ kind: 'done', results: pagesOf(requests.length, headRows, messageRows) });
      },
    );
  },
};

const HEADS = `
  SELECT r.request, c.head, m.span_after, m.span_up_to, c.current_members
    FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS r(usr, chat, request)
    JOIN members m ON m.chat_id = r.chat AND m.user_id = r.usr AND m.span_after <> '{}'
    JOIN chats c ON c.chat_id = r.chat`;

/** One range scan for each span, so that a gap in the membership costs nothing however many messages it has. */
const MESSAGES = `
  SELECT r.request, ${MESSAGE_COLUMNS}
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[]) WITH ORDINALITY AS r(usr, chat, after, lim, request)
    JOIN members e ON e.chat_id = r.chat AND e.user_id = r.usr
   CROSS JOIN LATERAL (
     SELECT x.* FROM unnest(e.span_after, e.span_up_to) AS s(after, up_to)
      CROSS JOIN LATERAL (
        SELECT * FROM messages y
         WHERE y.chat_id = r.chat AND y.seq > greatest(r.after, s.after) AND y.seq <= s.up_to
         ORDER BY y.seq LIMIT r.lim
      ) AS x
      ORDER BY x.seq LIMIT r.lim
   ) AS m ${MESSAGE_BODY}
   ORDER BY r.request, m.seq`;

function pagesOf(
  requests: number,
  headRows: readonly Row[],
  messageRows: readonly Row[],
): readonly FetchResult[] {
  const messages = Array.from<unknown, StoredMessage[]>({ length: requests }, () => []);
  for (const row of messageRows) messages[Number(row[0]) - 1]?.push(messageOf(row, 1));
  const pages = Array.from<unknown, FetchResult>({ length: requests }, () => STRANGER);
  for (const row of headRows) {
    const at = Number(row[0]) - 1;
    pages[at] = {
      outcome: 'ok',
      messages: messages[at] ?? [],
      head: Number(row[1]),
      spans: spansOf(row[2], row[3]),
      size: Number(row[4]),
    };
  }
  return pages;
}
