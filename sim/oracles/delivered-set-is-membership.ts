import { OPEN_END } from '../../core/contract/records.ts';
import type { ErrorCode } from '../../core/wire/frames.ts';
import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Observation, Seen } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';
import { sameUpTo, sees } from './visible.ts';

const NAME = 'delivered-set-is-membership';

/**
 * Promise 4. A message, and a receipt for it, reaches nobody outside the membership at its seq, nobody outside it can write,
 * and nobody inside it is told for good that he cannot, as no device uses a clientMsgId for two messages; a change of
 * membership leaves what was visible before as it was. (That members get all of it is promise 1.)
 */
export function deliveredSetIsMembership(history: History, options: JudgeOptions): Oracle {
  const stranger = (seq: number, what: string, at: number): Violation | undefined =>
    sees(history.spans[history.seat]!, seq) ? undefined : outsider(history, seq, what, at);
  return {
    name: NAME,
    on: {
      pushed: (o, at) => stranger(o.seq, 'is sent', at),
      shown: (o, at) => stranger(o.seq, 'shows', at),
      'receipt-shown': (o, at) => stranger(o.receipt.seq, 'gets a receipt for', at),
      committed: (o, at) => stranger(o.message.seq, 'wrote', at),
      // Read from a store afterwards, nobody knows who was a member by then.
      'send-failed': (o, at) =>
        options.commitsSeen === 'at-once' ? memberRefused(history, o, at) : undefined,
      // Read from a store afterwards, there is no before to compare with.
      member: (o, at) => (options.commitsSeen === 'at-once' ? rewritten(history, o, at) : undefined),
    },
  };
}

function outsider(history: History, seq: number, what: string, at: number): Violation {
  const chat = history.chatNames[history.chat]!;
  const user = history.userNames[history.user] ?? 'a user without a name';
  const spans = history.spans[history.seat]!;
  const words = spans.map(({ after, upTo }) =>
    upTo === OPEN_END ? `from seq ${after + 1} on` : `seq ${after + 1} to ${upTo}`,
  );
  const expected =
    words.length === 0 ? `${user} sees nothing of ${chat}` : `${user} sees of ${chat} ${words.join(' and ')}`;
  return broken(NAME, at, expected, `${user} ${what} ${history.nameSeq(history.chat, seq)}`);
}

/** Final answers that say that this user may not write here, or has used the id for something else. */
const NOT_HIS: ReadonlySet<string> = new Set<ErrorCode>([
  'not_a_member',
  'no_such_chat',
  'idempotency_conflict',
]);

/** What was given to a full outbox has never been a send. */
function memberRefused(history: History, o: Seen<'send-failed'>, at: number): Violation | undefined {
  if (!NOT_HIS.has(o.code)) return undefined;
  const { seat, send } = history;
  const sentAt = history.sentAt[send]!;
  const joinedAt = history.joinedAt[seat];
  if (sentAt === NONE || !history.isMember(seat) || joinedAt === undefined || joinedAt > sentAt)
    return undefined;
  const who = history.userNames[history.user]!;
  return broken(
    NAME,
    at,
    `${who} has been a member of ${o.chatId} since before ${o.clientMsgId}, and may write`,
    `it is refused for good: ${o.code}`,
  );
}

function rewritten(
  history: History,
  o: Extract<Observation, { kind: 'member' }>,
  at: number,
): Violation | undefined {
  const before = history.spans[history.seat]!;
  // It takes effect at the head: from there on everything is visible, or nothing.
  const later = o.member.spans.some(
    ({ after, upTo }) => after > o.head || (upTo > o.head && upTo !== OPEN_END),
  );
  if (later) {
    return broken(
      NAME,
      at,
      `a change of ${o.member.userId} in ${o.chatId} takes effect at head ${o.head}, not later`,
      `the spans became ${JSON.stringify(o.member.spans)}`,
    );
  }
  if (sameUpTo(before, o.member.spans, o.head)) return undefined;
  return broken(
    NAME,
    at,
    `a change of ${o.member.userId} in ${o.chatId} at head ${o.head} leaves seq 1 to ${o.head} as visible as they were: ${JSON.stringify(before)}`,
    `the spans became ${JSON.stringify(o.member.spans)}`,
  );
}
