import type { UserId } from '../../../core/contract/ids.ts';
import type { Micros } from '../../../core/contract/time.ts';
import type { MessageReceipts, MessageStore } from '../../ports/message-store.ts';
import { type Row, text } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';
import type { Statement, StoreConnection } from './store-connection.ts';

/** Calls that are rare enough to be promises and go by themselves. */
type Rare = Pick<MessageStore, 'claimInstance' | 'receiptsOf' | 'ping'>;

/**
 * @param connections what the store works with: `control` for writes, `reader` for reads, and all that must be alive for
 *   the store to count as serving.
 * @param instanceClass 0 to 7, another for each region: numbers of process runs are unique over all of them.
 */
export function storeQueries(
  control: StoreConnection,
  reader: StoreConnection,
  all: readonly StoreConnection[],
  instanceClass: number,
): Rare {
  return {
    async claimInstance() {
      // The first nextval of every 32 is logged and flushed with the commit, so a crash skips numbers and repeats none.
      const [rows] = await writing(control, [
        { name: 'claim_instance', text: 'SELECT claim_instance($1::int)', values: [String(instanceClass)] },
      ]);
      return Number(rows?.[0]?.[0]);
    },

    async receiptsOf(chatId, serverMsgId) {
      const [chat, id] = [decimalOf(chatId, 'c_'), decimalOf(serverMsgId, 'm_')];
      if (chat === undefined || id === undefined) return undefined;
      return receiptsOf(reader, chat, id);
    },

    async ping() {
      const down = all
        .filter((connection) => connection.wanted && !connection.ready)
        .map((connection) => connection.name);
      if (down.length > 0) throw new Error(`no connection to PostgreSQL: ${down.join(', ')}`);
      const [rows] = await reading(control, [
        { name: 'ping', text: "SELECT current_setting('transaction_read_only')", values: [] },
      ]);
      if (rows?.[0]?.[0] !== 'off')
        throw new Error('PostgreSQL takes no writes: it is a replica, or read-only');
      await reading(reader, [{ name: 'ping', text: 'SELECT 1', values: [] }]);
    },
  };
}

async function receiptsOf(reader: StoreConnection, chat: string, id: string): ReturnType<Rare['receiptsOf']> {
  const values = [chat, id];
  const [messages, receipts] = await reading(reader, [
    { name: 'receipts_message', text: MESSAGE, values },
    { name: 'receipts_of', text: RECEIPTS, values },
  ]);
  const message = messages?.[0];
  if (message === undefined) return undefined;
  return { seq: Number(message[0]), receipts: (receipts ?? []).map(receiptOf) };
}

const MESSAGE = 'SELECT seq FROM messages WHERE server_msg_id = $2::bigint AND chat_id = $1::bigint';

/** A move of a watermark stands for every seq below it: the first move at or above a message is its receipt. */
const RECEIPTS = `
  SELECT m.user_id, delivered.at, seen.at
    FROM messages x
    JOIN members m ON m.chat_id = x.chat_id AND m.user_id <> x.from_user
    LEFT JOIN LATERAL (
      SELECT r.at FROM receipts r
       WHERE r.chat_id = x.chat_id AND r.user_id = m.user_id AND r.type = 1 AND r.seq >= x.seq ORDER BY r.seq LIMIT 1
    ) AS delivered ON true
    LEFT JOIN LATERAL (
      SELECT r.at FROM receipts r
       WHERE r.chat_id = x.chat_id AND r.user_id = m.user_id AND r.type = 2 AND r.seq >= x.seq ORDER BY r.seq LIMIT 1
    ) AS seen ON true
   WHERE x.server_msg_id = $2::bigint AND x.chat_id = $1::bigint
     AND EXISTS (SELECT FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to) WHERE s.after < x.seq AND x.seq <= s.up_to)
   ORDER BY m.user_id`;

function receiptOf(row: Row): MessageReceipts {
  return { userId: `u_${text(row, 0)}` as UserId, deliveredAt: timeOf(row[1]), readAt: timeOf(row[2]) };
}

function timeOf(value: string | null | undefined): Micros | undefined {
  return value === null || value === undefined ? undefined : (Number(value) as Micros);
}

export function writing(
  connection: StoreConnection,
  statements: readonly Statement[],
): Promise<readonly (readonly Row[])[]> {
  return new Promise((resolve, reject) => {
    connection.write(statements, (result) =>
      result.kind === 'committed' ? resolve(result.rows) : reject(result.error),
    );
  });
}

export function reading(
  connection: StoreConnection,
  statements: readonly Statement[],
): Promise<readonly (readonly Row[])[]> {
  return new Promise((resolve, reject) => {
    connection.read(statements, (result) =>
      result.kind === 'committed' ? resolve(result.rows) : reject(result.error),
    );
  });
}
