import { type History, NONE } from './history.ts';
import { NumberSet } from './number-set.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';

const NAME = 'no-duplicate-shown';

/**
 * Promise 2. A device shows a message once; a send is one message for ever, however often it is repeated: one
 * (sender, clientMsgId), one serverMsgId, one seq, in every ACK and in the store. And a send whose failure was reported is
 * none: its user writes it again, and the device does not. One case remains: a copy of the send was on its way when it was
 * refused, and its sender was added to the chat before it arrived; the refusal was true, and so is the message.
 */
export function noDuplicateShown(history: History): Oracle {
  /** Messages, by device. */
  const shown: NumberSet[] = [];
  return {
    name: NAME,
    on: {
      shown(o, at) {
        const those = (shown[history.device] ??= new NumberSet());
        if (those.has(history.message)) return shownTwice(history, o, at);
        those.add(history.message);
        return undefined;
      },
      acked: (o, at) => twoMessages(history, o.clientMsgId, o.seq, at) ?? movedMessage(history, o.seq, at),
      'send-failed'(_, at) {
        // The refusal may reach the device after the copy that overtook it has become a message.
        if (history.sendMessage[history.send] === NONE || addedSince(history)) return undefined;
        return failedAndSent(history, at);
      },
      'sent-again': (_, at) => sentAgain(history, at),
      committed(o, at) {
        if (history.sendFailed[history.send]! && !addedSince(history)) return failedAndSent(history, at);
        return committedTwice(history, o, at);
      },
    },
  };
}

function shownTwice(history: History, o: Extract<Observation, { kind: 'shown' }>, at: number): Violation {
  const who = history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `${who} shows ${o.serverMsgId} once`,
    `it shows ${o.serverMsgId} again, now at seq ${o.seq} of ${o.chatId}`,
  );
}

/** Whether the sender came into the chat after the send was given. */
function addedSince(history: History): boolean {
  return (history.joinedAt[history.seat] ?? -Infinity) > history.sentAt[history.send]!;
}

function sentAgain(history: History, at: number): Violation {
  const name = history.sendNames[history.send]!;
  return broken(
    NAME,
    at,
    `${history.nameDevice(history.device)} sends ${name} until it is answered, and never after it called it failed`,
    `it sends ${name} again`,
  );
}

function failedAndSent(history: History, at: number): Violation {
  const who = history.userNames[history.user]!;
  const name = history.sendNames[history.send]!;
  const message = history.sendMessage[history.send]!;
  const what = message === NONE ? history.messageNames[history.message] : history.messageNames[message];
  return broken(
    NAME,
    at,
    `${name} of ${who} has failed, as its sender was told, or is a message: not both`,
    `it is reported as failed and is ${what ?? 'a message'} as well`,
  );
}

/** The send is known as one message already, and this is another. */
function twoMessages(history: History, clientMsgId: string, seq: number, at: number): Violation | undefined {
  const earlier = history.sendMessage[history.send]!;
  if (earlier === NONE || earlier === history.message) return undefined;
  const who = history.userNames[history.user]!;
  return broken(
    NAME,
    at,
    `${clientMsgId} of ${who} stays ${history.messageNames[earlier]!} at seq ${history.messageSeq[earlier]!}`,
    `it is ${history.messageNames[history.message]!} at seq ${seq} as well`,
  );
}

/** The message is known at another place. */
function movedMessage(history: History, seq: number, at: number): Violation | undefined {
  const known = history.messageSeq[history.message]!;
  if (known === NONE || (known === seq && history.messageChat[history.message] === history.chat))
    return undefined;
  const name = history.messageNames[history.message]!;
  return broken(
    NAME,
    at,
    `${name} stays ${history.nameSeq(history.messageChat[history.message]!, known)}`,
    `it is seq ${seq} of ${history.chatNames[history.chat]!} as well`,
  );
}

function committedTwice(
  history: History,
  o: Extract<Observation, { kind: 'committed' }>,
  at: number,
): Violation | undefined {
  const { message } = o;
  const earlier =
    twoMessages(history, message.clientMsgId, message.seq, at) ?? movedMessage(history, message.seq, at);
  if (earlier !== undefined) return earlier;
  const occupant = history.messageAt[history.chat]![message.seq];
  const again = history.committed[history.message]!;
  if (!again && (occupant === undefined || occupant === history.message)) return undefined;
  return broken(
    NAME,
    at,
    `seq ${message.seq} of ${message.chatId} is given once`,
    `it is given to ${message.serverMsgId} and to ${history.messageNames[occupant ?? history.message]!}`,
  );
}
