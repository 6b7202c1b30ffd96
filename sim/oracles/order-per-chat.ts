import type { StoredMessage } from '../../core/contract/records.ts';
import { type Micros, MILLISECOND } from '../../core/contract/time.ts';
import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';
import { nextSeen } from './visible.ts';

const NAME = 'order-per-chat';

/** What devices show, to be compared with each other and with the store. */
type Content = Pick<
  StoredMessage,
  'serverMsgId' | 'from' | 'fromDevice' | 'ciphertext' | 'mediaIds' | 'sentAt'
>;

/**
 * Promise 3. Every device shows, from its start on, what it may see of one dense sequence: no skip, no reorder, no seq
 * that goes back; and the same seq is the same message, with the same bytes, sent at the same time, for everybody; without
 * any bytes when retention had dropped them. The store's sequence is dense too: seqs are committed one after the other.
 */
export function orderPerChat(history: History, options: JudgeOptions): Oracle {
  /** First sight of each seq, by chat. */
  const contents: (Content | undefined)[][] = [];
  /** Seqs whose bytes are gone, by chat. */
  const dropped: Set<number>[] = [];
  const compare = (seq: number, seen: Content, at: number): Violation | undefined => {
    const row = (contents[history.chat] ??= []);
    const first = row[seq];
    if (first === undefined) {
      row[seq] = seen;
      return undefined;
    }
    const isGone = seen.ciphertext === '' && dropped[history.chat]?.has(seq) === true;
    const shown = isGone ? { ...seen, ciphertext: first.ciphertext } : seen;
    return sameContent(first, shown) ? undefined : differs(history, seq, first, shown, at);
  };
  return {
    name: NAME,
    on: {
      shown: (o, at) => outOfOrder(history, o, at) ?? compare(o.seq, o, at),
      committed: ({ message }, at) =>
        hole(history, options, message, at) ?? compare(message.seq, message, at),
      'content-dropped'(o) {
        (dropped[history.chat] ??= new Set()).add(o.seq);
        return undefined;
      },
      'start-cursor': (o, at) => jumped(history, o, at),
    },
  };
}

function sameContent(a: Content, b: Content): boolean {
  return (
    a.serverMsgId === b.serverMsgId &&
    a.from === b.from &&
    a.fromDevice === b.fromDevice &&
    a.ciphertext === b.ciphertext &&
    sameMedia(a, b) &&
    sameTime(a.sentAt, b.sentAt)
  );
}

function sameMedia({ mediaIds: a }: Content, { mediaIds: b }: Content): boolean {
  return a === b || (a.length === b.length && a.every((id, i) => id === b[i]));
}

/** As exactly as the wire tells times. */
function sameTime(a: Micros, b: Micros): boolean {
  return a === b || Math.floor(a / MILLISECOND) === Math.floor(b / MILLISECOND);
}

/** What one may be told of, in the order in which it is looked at. */
const FIELDS = ['serverMsgId', 'from', 'fromDevice', 'ciphertext', 'mediaIds', 'sentAt'] as const;

function outOfOrder(
  history: History,
  o: Extract<Observation, { kind: 'shown' }>,
  at: number,
): Violation | undefined {
  const position = Math.max(0, history.positions[history.pair]!);
  const next = nextSeen(history.spans[history.seat]!, position);
  // What it may not see at all is for the membership oracle to say.
  if (next === undefined || o.seq === next) return undefined;
  const who = history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `${who}, which shows ${o.chatId} up to seq ${position}, shows seq ${next} next`,
    `it shows ${o.serverMsgId} at seq ${o.seq}${o.seq < next ? ', which goes back' : ''}`,
  );
}

function hole(
  history: History,
  options: JudgeOptions,
  message: StoredMessage,
  at: number,
): Violation | undefined {
  const head = history.heads[history.chat]!;
  if (message.seq === head + 1) return undefined;
  // Read from a store afterwards, rows come from wherever the chat stood when the history began. A seq at or below the
  // head is a duplicate, which has an oracle of its own.
  if (message.seq <= head || options.commitsSeen === 'afterwards') return undefined;
  return broken(
    NAME,
    at,
    `seq ${head + 1} of ${message.chatId} is committed next`,
    `seq ${message.seq} is (${message.serverMsgId})`,
  );
}

function differs(history: History, seq: number, first: Content, seen: Content, at: number): Violation {
  const field = FIELDS.find((name) => String(first[name]) !== String(seen[name])) ?? 'mediaIds';
  const where = `seq ${seq} of ${history.chatNames[history.chat]!}`;
  return broken(
    NAME,
    at,
    `${where} is the same everywhere: ${field} ${String(first[field])}`,
    `${field} ${String(seen[field])}`,
  );
}

/** A restart goes on where the device stopped. */
function jumped(
  history: History,
  o: Extract<Observation, { kind: 'start-cursor' }>,
  at: number,
): Violation | undefined {
  const position = history.positions[history.pair]!;
  if (position === NONE || position === o.seq) return undefined;
  const who = history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `${who} goes on after seq ${position} of ${o.chatId}, where it stopped`,
    `it goes on after seq ${o.seq}`,
  );
}
