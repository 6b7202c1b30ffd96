import type { ChatId } from '../../../core/contract/ids.ts';
import type { Member } from '../../../core/contract/records.ts';
import type {
  ChangeMemberRequest,
  ChangeMemberResult,
  CreateChatRequest,
  CreateChatResult,
} from '../../../core/contract/store.ts';
import { elementsOf } from './array-column.ts';
import { byChat } from './chat-order.ts';
import { directPairOf } from './direct-claim-group.ts';
import type { GroupKind } from './group-lane.ts';
import { text } from './message-row.ts';
import { requireDecimal } from './postgres-id.ts';

/** Chats come into being and change their members rarely: these go as JSON, one by one inside a transaction. */

const FAILED = { outcome: 'failed' } as const;
const UNKNOWN = { outcome: 'unknown' } as const;

export const createChatGroup: GroupKind<CreateChatRequest, CreateChatResult> = {
  name: 'create-chat',
  failed: FAILED,
  unknown: UNKNOWN,
  items: (request) => request.members.length,
  bytes: () => 0,
  keys: (request) => [request.chatId],
  run(connection, requests, done) {
    const order = byChat(requests);
    const values = [JSON.stringify(order.map((at) => creationOf(requests[at] as CreateChatRequest)))];
    const statement = {
      name: 'create_chats',
      text: 'SELECT chat, created FROM create_chats($1::jsonb) ORDER BY request',
      values,
    };
    connection.write([statement], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const results = Array.from<CreateChatResult>({ length: requests.length });
      (result.rows[0] ?? []).forEach((row, i) => {
        const chatId = `c_${text(row, 0)}` as ChatId;
        results[order[i] as number] = { outcome: 'ok', chatId, created: row[1] === 't' };
      });
      done({ kind: 'done', results });
    });
  },
};

export const changeMemberGroup: GroupKind<ChangeMemberRequest, ChangeMemberResult> = {
  name: 'change-member',
  failed: FAILED,
  unknown: UNKNOWN,
  items: () => 1,
  bytes: () => 0,
  // One change a chat and group: the second was decided before the first took effect.
  keys: (request) => [request.chatId],
  run(connection, requests, done) {
    const order = byChat(requests);
    const values = [JSON.stringify(order.map((at) => changeOf(requests[at] as ChangeMemberRequest)))];
    connection.write(
      [{ name: 'change_members', text: 'SELECT change_members($1::jsonb)', values }],
      (result) => {
        if (result.kind !== 'committed') {
          done(result);
          return;
        }
        const states = elementsOf(text(result.rows[0]?.[0] ?? [], 0));
        const results = Array.from<ChangeMemberResult>({ length: requests.length });
        states.forEach((state, i) => {
          results[order[i] as number] = { outcome: state === '0' ? 'ok' : 'stale' };
        });
        done({ kind: 'done', results });
      },
    );
  },
};

function creationOf(request: CreateChatRequest): object {
  const pair = request.kind === 'direct' ? directPairOf(request.members) : {};
  return {
    chat: requireDecimal(request.chatId, 'c_'),
    kind: request.kind,
    members: request.members.map(memberOf),
    ...pair,
  };
}

function changeOf(request: ChangeMemberRequest): object {
  return {
    chat: requireDecimal(request.chatId, 'c_'),
    head: String(request.expectHead),
    version: String(request.expectVersion),
    member: memberOf(request.member),
    markAbove: String(request.markAbove),
  };
}

function memberOf(member: Member): object {
  return {
    user: requireDecimal(member.userId, 'u_'),
    role: member.role,
    after: member.spans.map((span) => String(span.after)),
    upTo: member.spans.map((span) => String(span.upTo)),
  };
}
