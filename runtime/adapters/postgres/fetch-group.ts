import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import type { Span, StoredMessage } from '../../../core/contract/records.ts';
import type { FetchRequest, FetchResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { BASE64_LENGTH, MESSAGE_BODY, MESSAGE_FIELDS, messageOf, type Row, spansOf } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';

const NO_KEYS: readonly string[] = [];
const NO_SPANS: readonly Span[] = [];
const STRANGER: FetchResult = { outcome: 'ok', messages: [], more: false, head: 0, spans: NO_SPANS, size: 0 };

/** One message is read whatever its size, so that much counts for every page, by the largest that is sent as usual. */
const ONE_MESSAGE = Math.ceil(DEFAULT_LIMITS.ciphertextBytes / 3) * 4;

/** Reads pages of many chats at once; each page with the head and the spans that were true with it. */
export const fetchGroup: GroupKind<FetchRequest, FetchResult> = {
  name: 'fetch',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  items: (request) => request.limit,
  bytes: (request) => Math.max(ONE_MESSAGE, request.bytes),
  keys: () => NO_KEYS,
  run(connection, requests, done) {
    const columns = newColumns();
    const [users, chats, afters, limits, sizes] = columns;
    for (const { userId, chatId, afterSeq, limit, bytes } of requests) {
      users.digits(decimalOf(userId, 'u_'));
      chats.digits(decimalOf(chatId, 'c_'));
      afters.digits(afterSeq);
      limits.digits(limit);
      sizes.digits(bytes);
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
        done({ kind: 'done', results: pagesOf(requests, headRows, messageRows) });
      },
    );
  },
};

function newColumns() {
  const column = (): ArrayColumn => new ArrayColumn();
  return [column(), column(), column(), column(), column()] as const;
}

const HEADS = `
  SELECT r.request, c.head, m.span_after, m.span_up_to, c.current_members
    FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS r(usr, chat, request)
    JOIN members m ON m.chat_id = r.chat AND m.user_id = r.usr AND m.span_after <> '{}'
    JOIN chats c ON c.chat_id = r.chat`;

/**
 * One range scan for each span, so that a gap in the membership costs nothing however many messages it has. The length of
 * a body is known without reading it, and what is over the size is left out before it is read. `found` counts what was
 * there within the limit.
 */
const MESSAGES = `
  SELECT p.* FROM (
    SELECT r.request, ${MESSAGE_FIELDS}, b.ciphertext, count(*) OVER (PARTITION BY r.request) AS found, r.bytes,
           row_number() OVER in_order AS place,
           sum(coalesce(${BASE64_LENGTH}, 0)) OVER in_order AS total
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[])
           WITH ORDINALITY AS r(usr, chat, after, lim, bytes, request)
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
    WINDOW in_order AS (PARTITION BY r.request ORDER BY m.seq)
  ) AS p
   WHERE p.total <= p.bytes OR p.place = 1
   ORDER BY p.request, p.seq`;

/** Where `found` stands in a row. */
const FOUND = 10;

function pagesOf(
  requests: readonly FetchRequest[],
  headRows: readonly Row[],
  messageRows: readonly Row[],
): readonly FetchResult[] {
  const messages = requests.map((): StoredMessage[] => []);
  const found = requests.map(() => 0);
  for (const row of messageRows) {
    const at = Number(row[0]) - 1;
    messages[at]?.push(messageOf(row, 1));
    found[at] = Number(row[FOUND]);
  }
  const pages = requests.map(() => STRANGER);
  for (const row of headRows) {
    const at = Number(row[0]) - 1;
    const own = messages[at] ?? [];
    const there = found[at] ?? 0;
    pages[at] = {
      outcome: 'ok',
      messages: own,
      more: own.length < there || there === requests[at]?.limit,
      head: Number(row[1]),
      spans: spansOf(row[2], row[3]),
      size: Number(row[4]),
    };
  }
  return pages;
}
