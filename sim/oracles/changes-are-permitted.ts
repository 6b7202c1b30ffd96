import type { UserId } from '../../core/contract/ids.ts';
import type { Role } from '../../core/contract/records.ts';
import type { History } from './history.ts';
import type { Seen } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';
import { sees } from './visible.ts';

const NAME = 'changes-are-permitted';

/**
 * Promise 16. Who is in a chat, and as what, changes only by somebody who may change it as the members are at that very
 * version, however long ago he asked: the owner and admins add others, remove them and change their role; anybody removes
 * himself. Nobody else removes the owner, his role is neither changed nor given away, and a direct chat stays as it began. And
 * who is told that a change is made finds it made.
 *
 * The rules of core/sequencing/chat-admin.ts told a second time, of what was committed and not of what was asked.
 */
export function changesArePermitted(history: History): Oracle {
  /** By seat. */
  const roles: Role[] = [];
  const changedAt: number[] = [];
  return {
    name: NAME,
    on: {
      member(o, at) {
        const problem = o.by === undefined ? undefined : problemOf(history, roles, o, o.by);
        if (problem !== undefined) return forbidden(o, problem, at);
        roles[history.seat] = o.member.role;
        changedAt[history.seat] = at;
        return undefined;
      },
      'change-confirmed'(o, at) {
        const { seat } = history;
        const isSo = history.isMember(seat) ? roles[seat] === o.role : o.role === undefined;
        // It was so until somebody changed it again.
        if (isSo || changedAt[seat]! >= o.askedAt) return undefined;
        return broken(
          NAME,
          at,
          `${o.userId} is ${o.role ?? 'no member'} in ${o.chatId}, as was told`,
          history.isMember(seat) ? `that is ${roles[seat]!}` : 'that is no member',
        );
      },
    },
  };
}

function problemOf(
  history: History,
  roles: readonly Role[],
  { chatKind, member, head }: Seen<'member'>,
  by: UserId,
): string | undefined {
  const { seat, chat } = history;
  const actor = history.seatOf(history.userOf(by), chat);
  const stays = sees(member.spans, head + 1);
  if (chatKind === 'direct') return 'the chat is direct';
  if (!history.isMember(actor)) return `${by} is not in it`;
  if (actor === seat && !stays) return undefined;
  if (roles[actor] === 'member') return `${by} is neither its owner nor an admin`;
  if (history.isMember(seat) && roles[seat] === 'owner') return `${member.userId} is its owner`;
  return stays && member.role === 'owner' ? 'it has its owner' : undefined;
}

function forbidden(o: Seen<'member'>, problem: string, at: number): Violation {
  const { userId, role } = o.member;
  const what = sees(o.member.spans, o.head + 1) ? `makes ${userId} its ${role}` : `removes ${userId}`;
  return broken(
    NAME,
    at,
    `version ${o.version} of ${o.chatId} is made by somebody who may`,
    `${o.by} ${what}, and ${problem}`,
  );
}
