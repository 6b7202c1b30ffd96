import type { UserId } from '../../../core/contract/ids.ts';
import type { ReadMembersRequest, ReadMembersResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { type Row, text } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';

const NO_KEYS: readonly string[] = [];

/** Pages through who may see a seq, in the text order of ids: all share the prefix, so that of the decimal part. */
export const membersGroup: GroupKind<ReadMembersRequest, ReadMembersResult> = {
  name: 'read-members',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  items: (request) => request.limit,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, requests, done) {
    const [chats, seqs, afters, limits, above, within] = newColumns();
    for (const { chatId, seq, afterUser, limit, positionsAbove, authorsWithin } of requests) {
      chats.digits(decimalOf(chatId, 'c_'));
      seqs.digits(seq);
      // The empty text is before every other.
      afters.plain((afterUser && decimalOf(afterUser, 'u_')) ?? '');
      limits.digits(limit);
      above.digits(Math.min(positionsAbove, LARGEST_INT));
      within.digits(Math.min(authorsWithin, LARGEST_INT));
    }
    const values = [chats, seqs, afters, limits, above].map((column) => column.literal());
    connection.read(
      [
        { name: 'members_size', text: SIZES, values: [chats.literal()] },
        { name: 'read_members', text: MEMBERS, values },
        {
          name: 'members_authors',
          text: AUTHORS,
          values: [chats, seqs, above, within].map((column) => column.literal()),
        },
      ],
      (result) => {
        if (result.kind !== 'committed') {
          done(result);
          return;
        }
        const [sizeRows = [], memberRows = [], authorRows = []] = result.rows;
        done({ kind: 'done', results: pagesOf(requests, sizeRows, memberRows, authorRows) });
      },
    );
  },
};

const LARGEST_INT = 2 ** 31 - 1;

function newColumns() {
  const column = (): ArrayColumn => new ArrayColumn();
  return [column(), column(), column(), column(), column(), column()] as const;
}

const SIZES = `
  SELECT r.request, c.current_members
    FROM unnest($1::bigint[]) WITH ORDINALITY AS r(chat, request) JOIN chats c ON c.chat_id = r.chat`;

/** Positions are looked up in large chats only: NULL in the others. */
const MEMBERS = `
  SELECT r.request, m.user_id,
         CASE WHEN c.current_members > r.above THEN greatest(m.after, c.grew_at, (
           SELECT w.delivered_seq FROM watermarks w WHERE w.chat_id = r.chat AND w.user_id = m.user_id)) END
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::int[])
         WITH ORDINALITY AS r(chat, seq, after, lim, above, request)
    JOIN chats c ON c.chat_id = r.chat
   CROSS JOIN LATERAL (
     SELECT x.user_id, span.after FROM members x
      CROSS JOIN LATERAL (
        SELECT s.after FROM unnest(x.span_after, x.span_up_to) AS s(after, up_to)
         WHERE s.after < r.seq AND r.seq <= s.up_to LIMIT 1
      ) AS span
      WHERE x.chat_id = r.chat AND ((x.user_id::text) COLLATE "C") > r.after
      ORDER BY (x.user_id::text) COLLATE "C" LIMIT r.lim
   ) AS m
   ORDER BY r.request, (m.user_id::text) COLLATE "C"`;

/** Who wrote lately in a large chat. One short range of the primary key for each request, however many members it has. */
const AUTHORS = `
  SELECT r.request, x.from_user, max(x.seq)
    FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[]) WITH ORDINALITY AS r(chat, seq, above, within, request)
    JOIN chats c ON c.chat_id = r.chat AND c.current_members > r.above
    JOIN messages x ON x.chat_id = r.chat AND x.seq < r.seq AND x.seq >= r.seq - r.within
   GROUP BY r.request, x.from_user`;

function pagesOf(
  requests: readonly ReadMembersRequest[],
  sizeRows: readonly Row[],
  memberRows: readonly Row[],
  authorRows: readonly Row[],
): readonly ReadMembersResult[] {
  const wrote = new Map(authorRows.map((row) => [`${row[0]} ${row[1]}`, Number(row[2])]));
  const sizes = new Map(sizeRows.map((row) => [Number(row[0]), Number(row[1])]));
  const pages = requests.map(() => ({ users: [] as UserId[], positions: [] as number[] }));
  for (const row of memberRows) {
    const page = pages[Number(row[0]) - 1];
    page?.users.push(`u_${text(row, 1)}` as UserId);
    if (row[2] === null || row[2] === undefined) continue;
    page?.positions.push(Math.max(Number(row[2]), wrote.get(`${row[0]} ${row[1]}`) ?? 0));
  }
  return pages.map(({ users, positions }, i) => {
    return { outcome: 'ok', users, positions, size: sizes.get(i + 1) ?? 0 };
  });
}
