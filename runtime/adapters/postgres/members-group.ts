import type { UserId } from '../../../core/contract/ids.ts';
import type { ReadMembersRequest, ReadMembersResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { text } from './message-row.ts';
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
    const columns = [new ArrayColumn(), new ArrayColumn(), new ArrayColumn(), new ArrayColumn()] as const;
    const [chats, seqs, afters, limits] = columns;
    for (const { chatId, seq, afterUser, limit } of requests) {
      chats.digits(decimalOf(chatId, 'c_'));
      seqs.digits(seq);
      // The empty text is before every other.
      afters.plain((afterUser && decimalOf(afterUser, 'u_')) ?? '');
      limits.digits(limit);
    }
    const statement = {
      name: 'read_members',
      text: MEMBERS,
      values: columns.map((column) => column.literal()),
    };
    connection.read([statement], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const users = Array.from<unknown, UserId[]>({ length: requests.length }, () => []);
      for (const row of result.rows[0] ?? []) users[Number(row[0]) - 1]?.push(`u_${text(row, 1)}` as UserId);
      done({ kind: 'done', results: users.map((list) => ({ outcome: 'ok', users: list }) as const) });
    });
  },
};

const MEMBERS = `
  SELECT r.request, m.user_id
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[]) WITH ORDINALITY AS r(chat, seq, after, lim, request)
   CROSS JOIN LATERAL (
     SELECT x.user_id FROM members x
      WHERE x.chat_id = r.chat AND ((x.user_id::text) COLLATE "C") > r.after
        AND EXISTS (SELECT FROM unnest(x.span_after, x.span_up_to) AS s(after, up_to) WHERE s.after < r.seq AND r.seq <= s.up_to)
      ORDER BY (x.user_id::text) COLLATE "C" LIMIT r.lim
   ) AS m
   ORDER BY r.request, (m.user_id::text) COLLATE "C"`;
