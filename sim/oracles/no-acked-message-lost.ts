import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import { NumberSet } from './number-set.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken, overdue } from './violation.ts';
import { sees } from './visible.ts';

const NAME = 'no-acked-message-lost';

/**
 * Promise 1. An ACK means durable: the message is in the store at that moment. And after the faults heal, every served
 * device of every member as of the seq has shown it, or is the one that sent it; messages below a device's start
 * excepted. What is shown is kept seq by seq, so that a hole counts as lost whatever the order oracle thinks of it.
 */
export function noAckedMessageLost(history: History, options: JudgeOptions): Oracle {
  /** Seqs, by pair. */
  const shown: NumberSet[] = [];
  const mark = (seq: number): void => {
    (shown[history.pair] ??= new NumberSet()).add(seq);
  };
  return {
    name: NAME,
    on: {
      shown(o) {
        mark(o.seq);
        return undefined;
      },
      acked(o, at) {
        mark(o.seq);
        return options.commitsSeen === 'at-once' ? ackedButNotStored(history, o, at) : undefined;
      },
      end: (_, at) => missing(history, shown, at),
    },
  };
}

function ackedButNotStored(
  history: History,
  o: Extract<Observation, { kind: 'acked' }>,
  at: number,
): Violation | undefined {
  const { message } = history;
  if (!history.committed[message]!) {
    return broken(
      NAME,
      at,
      `${o.serverMsgId} is in the store before anybody is told so`,
      `${history.nameDevice(history.device)} got an ACK for ${o.serverMsgId} at seq ${o.seq} of ${o.chatId}, which was never committed`,
    );
  }
  if (history.messageSeq[message] === o.seq && history.messageChat[message] === history.chat)
    return undefined;
  return broken(
    NAME,
    at,
    `the ACK of ${o.serverMsgId} names where it is stored, seq ${history.messageSeq[message]!} of ${history.chatNames[history.messageChat[message]!]!}`,
    `it names seq ${o.seq} of ${o.chatId}`,
  );
}

function missing(history: History, shown: readonly NumberSet[], at: number): Violation | undefined {
  for (let message = 0; message < history.messageNames.length; message++) {
    if (!history.acked[message]!) continue;
    if (!history.committed[message]!) return notInTheStore(history, message, at);
    const chat = history.messageChat[message]!;
    const seq = history.messageSeq[message]!;
    for (const seat of history.chatSeats[chat]!) {
      if (!sees(history.spans[seat]!, seq)) continue;
      for (const device of history.userDevices[history.seatUser[seat]!]!) {
        if (!history.served[device]! || !history.opened[device]!) continue;
        const pair = history.pairOf(device, chat);
        if (seq > history.starts[pair]! && shown[pair]?.has(seq) !== true)
          return lost(history, message, device, at);
      }
    }
  }
  return undefined;
}

function notInTheStore(history: History, message: number, at: number): Violation {
  const name = history.messageNames[message]!;
  return broken(NAME, at, `${name} is in the store: it was acknowledged`, `the store has no ${name}`);
}

function lost(history: History, message: number, device: number, at: number): Violation {
  const chat = history.messageChat[message]!;
  const seq = history.messageSeq[message]!;
  const what = history.nameSeq(chat, seq);
  const who = history.nameDevice(device);
  const position = history.positions[history.pairOf(device, chat)]!;
  return overdue(
    NAME,
    at,
    `${who} shows ${what}, acknowledged and visible to it`,
    `it never did; ${position === NONE ? 'it shows nothing of that chat' : `it shows up to seq ${position}`}`,
    [`${who} waits for ${what}${history.live[device]! ? '' : ' and is not connected'}`],
  );
}
