import pg from 'pg';
import type { ChatId, DeviceId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import type { ChatKind, Member, ReceiptRecord, Role } from '../../core/contract/records.ts';
import { micros } from '../../core/contract/time.ts';
import {
  MESSAGE_BODY,
  MESSAGE_COLUMNS,
  messageOf,
  type Row,
  spansOf,
  text,
} from '../adapters/postgres/message-row.ts';
import { requireDecimal } from '../adapters/postgres/postgres-id.ts';
import type { ChatTruth } from './store-truth.ts';

/** How far a device has a chat, as its row says. */
export interface StoredCursor {
  readonly deviceId: DeviceId;
  readonly chatId: ChatId;
  readonly seq: number;
}

/**
 * The rows themselves, of shards that are in use: with the key of every send and the spans of every member, which no API tells.
 * So a send that was stored twice is seen although nobody was told of the second, and so is a message that reached somebody
 * who had left.
 */
export interface ShardTruth {
  /** All of these chats, with all their members and messages. @throws Error when a chat is on no shard or on two. */
  chats(chats: readonly ChatId[]): Promise<readonly ChatTruth[]>;
  cursors(chats: readonly ChatId[]): Promise<readonly StoredCursor[]>;
  close(): Promise<void>;
}

/**
 * Connects when it is first asked, and again after a loss: the servers may be killed meanwhile.
 * @param urls of all databases of the system.
 */
export function openShardTruth(urls: readonly string[]): ShardTruth {
  const pools = urls.map((connectionString) => {
    const pool = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: 5_000 });
    // Told by the query that was under way, or by the next one.
    pool.on('error', () => undefined);
    return pool;
  });
  /** The rows of all shards behind each other. */
  const rows = async (statement: string, chats: readonly ChatId[]): Promise<readonly Row[]> => {
    const ids = `{${chats.map((id) => requireDecimal(id, 'c_')).join(',')}}`;
    const query: pg.QueryArrayConfig = { text: statement, values: [ids], rowMode: 'array', types: AS_TEXT };
    const found = await Promise.all(pools.map((pool) => pool.query<(string | null)[]>(query)));
    return found.flatMap((each) => each.rows);
  };
  return {
    async chats(chats) {
      // Messages last: what is added meanwhile is above the heads that were read, and is left out.
      const heads = await rows(CHATS, chats);
      const members = (await rows(MEMBERS, chats)).map((row) => [chatOf(row), memberOf(row)] as const);
      const watermarks = (await rows(WATERMARKS, chats)).flatMap(watermarksOf);
      const messages = (await rows(MESSAGES, chats)).map((row) => messageOf(row, 0));
      return chats.map((chatId): ChatTruth => {
        const [found, other] = heads.filter((row) => chatOf(row) === chatId);
        if (found === undefined || other !== undefined)
          throw new Error(`${chatId} is on ${found === undefined ? 'no shard' : 'two shards'}`);
        const [kind, head, version] = [text(found, 1), Number(text(found, 2)), Number(text(found, 3))];
        return {
          chat: {
            chatId,
            kind: kind as ChatKind,
            head,
            version,
            members: members.filter(([id]) => id === chatId).map(([, member]) => member),
          },
          messages: messages.filter((message) => message.chatId === chatId && message.seq <= head),
          watermarks: watermarks.filter((receipt) => receipt.chatId === chatId),
        };
      });
    },
    async cursors(chats) {
      return (await rows(CURSORS, chats)).map((row) => ({
        chatId: chatOf(row),
        deviceId: `d_${text(row, 1)}` as DeviceId,
        seq: Number(text(row, 2)),
      }));
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

const AS_TEXT = { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig;
const CHATS = 'SELECT chat_id, kind, head, version FROM chats WHERE chat_id = ANY ($1::bigint[])';
const MEMBERS = `
  SELECT chat_id, user_id, role, span_after, span_up_to FROM members WHERE chat_id = ANY ($1::bigint[])`;
const MESSAGES = `
  SELECT ${MESSAGE_COLUMNS} FROM messages m ${MESSAGE_BODY}
   WHERE m.chat_id = ANY ($1::bigint[]) ORDER BY m.chat_id, m.seq, m.server_msg_id`;
const WATERMARKS = `
  SELECT chat_id, user_id, delivered_seq, delivered_id, delivered_at, read_seq, read_id, read_at
    FROM watermarks WHERE chat_id = ANY ($1::bigint[])`;
const CURSORS = 'SELECT chat_id, device_id, seq FROM cursors WHERE chat_id = ANY ($1::bigint[])';

function chatOf(row: Row): ChatId {
  return `c_${text(row, 0)}` as ChatId;
}

function memberOf(row: Row): Member {
  return {
    userId: `u_${text(row, 1)}` as UserId,
    role: text(row, 2) as Role,
    spans: spansOf(row[3], row[4]),
  };
}

function watermarksOf(row: Row): readonly ReceiptRecord[] {
  const chatId = chatOf(row);
  const userId = `u_${text(row, 1)}` as UserId;
  return (['DELIVERED', 'READ'] as const).flatMap((type, i) => {
    const [seq, id, at] = row.slice(2 + 3 * i);
    if (id === null || id === undefined) return [];
    return {
      chatId,
      userId,
      type,
      seq: Number(seq),
      serverMsgId: `m_${id}` as ServerMsgId,
      at: micros(Number(at)),
    };
  });
}
