import type {
  ChatId,
  ClientMsgId,
  DeviceId,
  MediaId,
  ServerMsgId,
  UserId,
} from '../../../core/contract/ids.ts';
import type { Span, StoredMessage } from '../../../core/contract/records.ts';
import type { Micros } from '../../../core/contract/time.ts';
import { elementsOf } from './array-column.ts';

/** Rows come as text, column by column, in the order in which the statement names them. */
export type Row = readonly (string | null)[];

/** Columns of a message but for what it says, for a table alias `m`; `messageFieldsOf` reads them from any offset of a row. */
export const MESSAGE_FIELDS =
  'm.chat_id, m.seq, m.server_msg_id, m.client_msg_id, m.from_user, m.from_device, m.media_ids, m.sent_at';

/** Those, and what `MESSAGE_BODY` found; `messageOf` reads them. */
export const MESSAGE_COLUMNS = `${MESSAGE_FIELDS}, b.ciphertext`;

/**
 * What the messages `m` say, from the partition of each one's day alone (it is found while the statement runs). NULL when
 * that day has been dropped.
 */
export const MESSAGE_BODY = `
  LEFT JOIN LATERAL (
    SELECT x.ciphertext FROM bodies x WHERE x.day = body_day(m.sent_at) AND x.server_msg_id = m.server_msg_id LIMIT 1
  ) AS b ON true`;

/** Of what `MESSAGE_BODY` found, as base64: known without reading it, however long it is. NULL for a dropped one. */
export const BASE64_LENGTH = '4 * ((octet_length(b.ciphertext) + 2) / 3)';

/** A message older than the time for which bodies are kept has an empty ciphertext; the rest of it stays for ever. */
export function messageOf(row: Row, at: number): StoredMessage {
  return { ...messageFieldsOf(row, at), ciphertext: base64OfBytea(row[at + 8] ?? '') };
}

export function messageFieldsOf(row: Row, at: number): Omit<StoredMessage, 'ciphertext'> {
  return {
    chatId: `c_${row[at]}` as ChatId,
    seq: Number(row[at + 1]),
    serverMsgId: `m_${row[at + 2]}` as ServerMsgId,
    clientMsgId: text(row, at + 3) as ClientMsgId,
    from: `u_${row[at + 4]}` as UserId,
    fromDevice: `d_${row[at + 5]}` as DeviceId,
    mediaIds: elementsOf(row[at + 6] ?? '{}').map((id) => `x_${id}` as MediaId),
    sentAt: Number(row[at + 7]) as Micros,
  };
}

export function spansOf(after: string | null | undefined, upTo: string | null | undefined): readonly Span[] {
  const ends = elementsOf(upTo ?? '{}');
  return elementsOf(after ?? '{}').map((start, i) => ({ after: Number(start), upTo: Number(ends[i]) }));
}

export function usersOf(list: string): readonly UserId[] {
  return elementsOf(list).map((id) => `u_${id}` as UserId);
}

export function text(row: Row, at: number): string {
  const value = row[at];
  if (value === null || value === undefined) throw new Error(`column ${at} is NULL`);
  return value;
}

/** PostgreSQL prints bytea as \x and hexadecimal digits (`bytea_output`, the default since 9.0). */
function base64OfBytea(bytea: string): string {
  return Buffer.from(bytea.slice(2), 'hex').toString('base64');
}
