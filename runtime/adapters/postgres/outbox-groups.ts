import type { ChatId, ServerMsgId, UserId } from '../../../core/contract/ids.ts';
import type { OutboxRow } from '../../../core/contract/records.ts';
import type {
  DeleteOutboxResult,
  ReadOutboxRequest,
  ReadOutboxResult,
} from '../../../core/contract/store.ts';
import type { Micros } from '../../../core/contract/time.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import {
  BASE64_LENGTH,
  MESSAGE_BODY,
  MESSAGE_FIELDS,
  messageFieldsOf,
  messageOf,
  type Row,
  text,
  usersOf,
} from './message-row.ts';

const NO_KEYS: readonly string[] = [];
const OK = { outcome: 'ok' } as const;

export const deleteOutboxGroup: GroupKind<readonly number[], DeleteOutboxResult> = {
  name: 'delete-outbox',
  // A row that stays a little longer only counts as in flight.
  lingerMs: 100,
  failed: { outcome: 'failed' },
  unknown: { outcome: 'unknown' },
  items: (ids) => ids.length,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, calls, done) {
    const column = new ArrayColumn();
    for (const ids of calls) for (const id of ids) column.digits(id);
    const statement = {
      name: 'delete_outbox',
      text: 'DELETE FROM outbox WHERE id = ANY ($1::bigint[])',
      values: [column.literal()],
    };
    connection.write([statement], (result) => {
      if (result.kind === 'committed') done({ kind: 'done', results: calls.map(() => OK) });
      else done(result);
    });
  },
};

/** One relay asks at a time, so these are not put together; two that share `limit` rows would not help each other. */
export const readOutboxGroup: GroupKind<ReadOutboxRequest, ReadOutboxResult> = {
  name: 'read-outbox',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  paceMs: 20,
  count: ([result]) => (result?.outcome === 'ok' ? result.rows.length : 0),
  items: () => 1,
  bytes: () => 0,
  keys: () => ['one'],
  run(connection, [request], done) {
    if (request === undefined) throw new Error('a group is never empty');
    const except = new ArrayColumn();
    for (const id of request.except) except.digits(id);
    const statement = {
      name: 'read_outbox',
      text: READ,
      values: [String(request.limit), except.literal(), String(request.inlineCiphertext)],
    };
    connection.read([statement], (result) => {
      if (result.kind !== 'committed') done(result);
      else done({ kind: 'done', results: [{ outcome: 'ok', rows: (result.rows[0] ?? []).map(rowOf) }] });
    });
  },
};

/**
 * A long ciphertext is left out by its length, which is known without reading it.
 *
 * The exceptions are rows that the relay is busy with: among the oldest, so a scan in order of ids steps over them first.
 * Reading so many more rows and leaving them out by a hash is cheaper than comparing each row with each of them.
 */
const READ = `
  SELECT o.id, o.recipients, o.receipt_type, o.chat_id, o.seq, o.server_msg_id, o.user_id, o.at,
         ${MESSAGE_FIELDS}, CASE WHEN ${BASE64_LENGTH} <= $3::int THEN b.ciphertext END, ${BASE64_LENGTH} > $3::int
    FROM (
      SELECT * FROM (
        SELECT * FROM outbox ORDER BY id LIMIT $1::int + cardinality($2::bigint[])
      ) AS oldest
      WHERE NOT (id IN (SELECT unnest($2::bigint[])))
      ORDER BY id LIMIT $1::int
    ) AS o
    LEFT JOIN LATERAL (
      SELECT * FROM messages x WHERE o.receipt_type IS NULL AND x.chat_id = o.chat_id AND x.seq = o.seq LIMIT 1
    ) AS m ON true ${MESSAGE_BODY}
   ORDER BY o.id`;

/** Where a row says whether its ciphertext was left out. */
const IS_LONG = 17;

/** `receipt_type` of a row that asks for a count. */
const COUNTS = '3';

function rowOf(row: Row): OutboxRow {
  const id = Number(row[0]);
  const list = row[1] ?? undefined;
  if (row[2] === null || row[2] === undefined) {
    return {
      id,
      kind: 'message',
      message:
        row[IS_LONG] === 't' ? { ...messageFieldsOf(row, 8), ciphertext: undefined } : messageOf(row, 8),
      recipients: list === undefined ? undefined : usersOf(list),
    };
  }
  if (row[2] === COUNTS) return { id, kind: 'counts', chatId: `c_${text(row, 3)}` as ChatId };
  return {
    id,
    kind: 'receipt',
    receipt: {
      chatId: `c_${text(row, 3)}` as ChatId,
      userId: `u_${text(row, 6)}` as UserId,
      type: row[2] === '1' ? 'DELIVERED' : 'READ',
      seq: Number(row[4]),
      serverMsgId: `m_${text(row, 5)}` as ServerMsgId,
      at: Number(row[7]) as Micros,
    },
    recipients: usersOf(list ?? '{}'),
  };
}
