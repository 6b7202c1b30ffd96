import type { ChatKind, ChatRecord, Member, Role } from '../../../core/contract/records.ts';
import type { FoundSend, LoadRequest, LoadResult } from '../../../core/contract/store.ts';
import type { UserId } from '../../../core/contract/ids.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { type Row, spansOf, text } from './message-row.ts';
import { decimalOf } from './postgres-id.ts';
import { SendLookup } from './send-lookup.ts';

const NO_CHAT = { outcome: 'no-chat' } as const;
const NO_KEYS: readonly string[] = [];
const NOTHING: readonly FoundSend[] = [];

/** Loads chats with their members, and what became of earlier sends, on one snapshot. */
export const loadGroup: GroupKind<LoadRequest, LoadResult> = {
  name: 'load-chat',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'failed' },
  // A guess at the members: a group of loads must not hold up the reads behind it.
  items: (request) => 32 + request.sends.length,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, requests, done) {
    const chats = new ArrayColumn();
    const lookup = new SendLookup();
    requests.forEach(({ chatId, sends }, i) => {
      const decimal = decimalOf(chatId, 'c_');
      if (decimal !== undefined) chats.digits(decimal);
      for (const send of sends) lookup.add(i, send);
    });
    const values = [chats.literal()];
    connection.read(
      [
        { name: 'load_chats', text: CHATS, values },
        { name: 'load_members', text: MEMBERS, values },
        lookup.statement(),
      ],
      (result) => {
        if (result.kind !== 'committed') {
          done(result);
          return;
        }
        const [chatRows = [], memberRows = [], foundRows = []] = result.rows;
        const members = membersByChat(memberRows);
        const records = new Map<string, ChatRecord>();
        for (const row of chatRows)
          records.set(`c_${text(row, 0)}`, recordOf(row, members.get(text(row, 0)) ?? []));
        const found = lookup.found(foundRows);
        const results = requests.map(({ chatId }, i): LoadResult => {
          const chat = records.get(chatId);
          return chat === undefined ? NO_CHAT : { outcome: 'ok', chat, found: found.get(i) ?? NOTHING };
        });
        done({ kind: 'done', results });
      },
    );
  },
};

const CHATS = 'SELECT chat_id, kind, head, version FROM chats WHERE chat_id = ANY ($1::bigint[])';
const MEMBERS = `
  SELECT chat_id, user_id, role, span_after, span_up_to FROM members
   WHERE chat_id = ANY ($1::bigint[]) ORDER BY chat_id, user_id`;

function recordOf(row: Row, members: readonly Member[]): ChatRecord {
  return {
    chatId: `c_${text(row, 0)}` as ChatRecord['chatId'],
    kind: text(row, 1) as ChatKind,
    head: Number(row[2]),
    version: Number(row[3]),
    members,
  };
}

function membersByChat(rows: readonly Row[]): Map<string, Member[]> {
  const byChat = new Map<string, Member[]>();
  for (const row of rows) {
    const chat = text(row, 0);
    const member = {
      userId: `u_${text(row, 1)}` as UserId,
      role: text(row, 2) as Role,
      spans: spansOf(row[3], row[4]),
    };
    const list = byChat.get(chat);
    if (list === undefined) byChat.set(chat, [member]);
    else list.push(member);
  }
  return byChat;
}
