import type { ReceiptRecord } from '../../core/contract/records.ts';
import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';
import { sees } from './visible.ts';

const NAME = 'receipts-monotone';

/** How far a user's receipts reach in one chat, as the store has them. */
interface Watermarks {
  delivered: number;
  read: number;
}

/**
 * Promise 5. Nothing, then DELIVERED, then READ: a user's watermarks in a chat only rise, each step is saved (and so
 * counted) once, READ never ahead of DELIVERED, and none is ahead of what the user's devices have got. A device says only
 * what it has shown, and is shown only receipts that exist.
 */
export function receiptsMonotone(history: History, options: JudgeOptions): Oracle {
  /** By seat. */
  const saved: Watermarks[] = [];
  /** A READ that was saved before its DELIVERED: the same transaction has to bring it. */
  let unpaired: { readonly seat: number; readonly receipt: ReceiptRecord } | undefined;

  /** @param saving seat whose watermark is being saved; NONE: something else is seen. */
  const ahead = (saving: number, at: number): Violation | undefined => {
    if (unpaired === undefined) return undefined;
    const { seat, receipt } = unpaired;
    if (saved[seat]!.delivered >= receipt.seq) unpaired = undefined;
    else if (saving !== seat) return readAhead(receipt, saved[seat]!, at);
    return undefined;
  };
  const knowsSaved = options.commitsSeen === 'at-once';
  return {
    name: NAME,
    on: {
      'watermark-saved'({ receipt }, at) {
        const marks = (saved[history.seat] ??= { delivered: 0, read: 0 });
        const bad = ahead(history.seat, at) ?? savedAgain(marks, receipt, at) ?? notGot(history, receipt, at);
        if (bad !== undefined) return bad;
        if (receipt.type === 'READ') marks.read = receipt.seq;
        else marks.delivered = receipt.seq;
        if (marks.read > marks.delivered) unpaired = { seat: history.seat, receipt };
        return undefined;
      },
      'receipt-sent': (o, at) => ahead(NONE, at) ?? notShown(history, o, at),
      'receipt-shown': ({ receipt }, at) =>
        ahead(NONE, at) ?? (knowsSaved ? invented(history, saved, receipt, at) : undefined),
      end: (_, at) => ahead(NONE, at),
    },
  };
}

const words = (receipt: ReceiptRecord): string =>
  `${receipt.type} of ${receipt.userId} at seq ${receipt.seq} of ${receipt.chatId}`;

function savedAgain(marks: Watermarks, receipt: ReceiptRecord, at: number): Violation | undefined {
  const before = receipt.type === 'READ' ? marks.read : marks.delivered;
  if (receipt.seq > before) return undefined;
  const again = receipt.seq === before ? 'a second time' : 'after it';
  return broken(
    NAME,
    at,
    `${receipt.type} of ${receipt.userId} in ${receipt.chatId} is at seq ${before} and only rises`,
    `${words(receipt)} is saved ${again}`,
  );
}

function readAhead(receipt: ReceiptRecord, marks: Watermarks, at: number): Violation {
  return broken(
    NAME,
    at,
    `READ implies DELIVERED: DELIVERED of ${receipt.userId} reaches seq ${receipt.seq} of ${receipt.chatId}`,
    `${words(receipt)} is saved while DELIVERED is at seq ${marks.delivered}`,
  );
}

/** A receipt for what no device of the user has got, or for another message than the one at that seq. */
function notGot(history: History, receipt: ReceiptRecord, at: number): Violation | undefined {
  const at0 = history.messageAt[history.chat]![receipt.seq];
  if (at0 !== undefined && at0 !== history.message) {
    return broken(
      NAME,
      at,
      `the receipt at seq ${receipt.seq} of ${receipt.chatId} names ${history.messageNames[at0]!}`,
      `it names ${receipt.serverMsgId}`,
    );
  }
  let reached = 0;
  for (const device of history.userDevices[history.user]!) {
    reached = Math.max(reached, history.positions[history.pairOf(device, history.chat)]!);
  }
  if (receipt.seq <= reached && sees(history.spans[history.seat]!, receipt.seq)) return undefined;
  return broken(
    NAME,
    at,
    `no receipt of ${receipt.userId} beyond seq ${reached} of ${receipt.chatId}, the last that a device of theirs shows`,
    `${words(receipt)} is saved`,
  );
}

function notShown(
  history: History,
  o: Extract<Observation, { kind: 'receipt-sent' }>,
  at: number,
): Violation | undefined {
  const seq = history.messageSeq[history.message]!;
  const position = history.positions[history.pair]!;
  if (seq === NONE || seq <= position) return undefined;
  return broken(
    NAME,
    at,
    `${history.nameDevice(history.device)} confirms up to seq ${Math.max(0, position)} of ${o.chatId}, the last that it shows`,
    `it sends ${o.type} for ${o.serverMsgId} at seq ${seq}`,
  );
}

function invented(
  history: History,
  saved: readonly Watermarks[],
  receipt: ReceiptRecord,
  at: number,
): Violation | undefined {
  const marks = saved[history.authorSeat];
  const reached = marks === undefined ? 0 : receipt.type === 'READ' ? marks.read : marks.delivered;
  if (receipt.seq <= reached) return undefined;
  return broken(
    NAME,
    at,
    `${receipt.type} of ${receipt.userId} in ${receipt.chatId} is shown up to seq ${reached}, as saved`,
    `${history.nameDevice(history.device)} is shown ${words(receipt)}`,
  );
}
