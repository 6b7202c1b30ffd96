import { expect, test } from 'vitest';
import type { ChatId } from '../../../core/contract/ids.ts';
import { changeMemberGroup, createChatGroup } from './chat-groups.ts';
import type { GroupOutcome } from './group-lane.ts';
import type { Row } from './message-row.ts';
import type { Statement, StoreConnection } from './store-connection.ts';
import type { TransactionResult } from './transaction-result.ts';

/** As they came; PostgreSQL is to see them in numeric order, whoever else locks some of them. */
const CHATS = ['c_10', 'c_9', 'c_100', 'c_8'] as ChatId[];
const IN_ORDER = ['8', '9', '10', '100'];

/** A connection on which everything commits, and what was sent on it. */
function answering(rowsFor: (chats: readonly string[]) => readonly Row[]) {
  const sent: string[][] = [];
  const write = (statements: readonly Statement[], done: (result: TransactionResult) => void): void => {
    const requests = JSON.parse(statements[0]?.values[0] ?? '[]') as { chat: string }[];
    const chats = requests.map(({ chat }) => chat);
    sent.push(chats);
    done({ kind: 'committed', rows: [rowsFor(chats)] });
  };
  return { sent, connection: { write } as unknown as StoreConnection };
}

test('chats are created in the order of their ids, and each caller gets his own answer', () => {
  const { sent, connection } = answering((chats) => chats.map((chat) => [chat, chat === '9' ? 'f' : 't']));
  const outcomes: GroupOutcome<unknown>[] = [];
  const requests = CHATS.map((chatId) => ({ chatId, kind: 'group' as const, members: [] }));
  createChatGroup.run(connection, requests, (outcome) => outcomes.push(outcome));
  expect(sent).toEqual([IN_ORDER]);
  const results = CHATS.map((chatId) => ({ outcome: 'ok', chatId, created: chatId !== 'c_9' }));
  expect(outcomes).toEqual([{ kind: 'done', results }]);
});

test('members are changed in the order of their chats, and each caller gets his own answer', () => {
  const { sent, connection } = answering((chats) => [
    [`{${chats.map((chat) => (chat === '10' ? 1 : 0)).join(',')}}`],
  ]);
  const outcomes: GroupOutcome<unknown>[] = [];
  const member = { userId: 'u_1' as never, role: 'member' as const, spans: [] };
  const expected = { expectHead: 0, expectVersion: 0, markAbove: 1 };
  const requests = CHATS.map((chatId) => ({ chatId, ...expected, member }));
  changeMemberGroup.run(connection, requests, (outcome) => outcomes.push(outcome));
  expect(sent).toEqual([IN_ORDER]);
  const results = CHATS.map((chatId) => ({ outcome: chatId === 'c_10' ? 'stale' : 'ok' }));
  expect(outcomes).toEqual([{ kind: 'done', results }]);
});
