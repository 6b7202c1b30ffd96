import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken, overdue } from './violation.ts';
import { sees } from './visible.ts';

const NAME = 'counts-converge';

interface Count {
  readonly delivered: number;
  readonly read: number;
}
interface Watermarks {
  delivered: number;
  read: number;
}

/**
 * Promise 12. In a large chat the sender of a message, and nobody else, is told how many have it: never more than there
 * are, so each member is counted once; never less than before, while the app runs; and in the end, where the chat is on
 * screen, as many as there are, for the messages that are counted at all. Of a history whose watermarks were not looked at,
 * only what was shown is judged.
 */
export function countsConverge(history: History, options: JudgeOptions): Oracle {
  const counts = new Counts(history, options);
  const atOnce = options.commitsSeen === 'at-once';
  return {
    name: NAME,
    on: {
      'watermark-saved'({ receipt }) {
        counts.saved(receipt.type, receipt.seq);
        return undefined;
      },
      'count-shown': (o, at) => counts.shown(o, at, atOnce),
      'start-cursor'() {
        counts.forget();
        return undefined;
      },
      watching(o) {
        counts.watch(o.on);
        return undefined;
      },
      member() {
        counts.changed();
        return undefined;
      },
      end: (_, at) => counts.missing(at),
    },
    settled: () => counts.waiting() === undefined,
  };
}

class Counts {
  readonly #history: History;
  readonly #limits: JudgeOptions['limits'];
  /** By seat. */
  readonly #marks: Watermarks[] = [];
  /** By pair, then seq. */
  readonly #shown: Map<number, Count>[] = [];
  /** Pairs of a device and a chat on its screen. */
  readonly #watching = new Set<number>();
  /** Chats that were small for a while: receipts were told one by one then, and the counts are not all there. */
  readonly #mixed = new Set<number>();

  /** Whether watermarks are told at all: read afterwards, a store may not have been asked for them. */
  #known: boolean;

  constructor(history: History, options: JudgeOptions) {
    this.#history = history;
    this.#limits = options.limits;
    this.#known = options.commitsSeen === 'at-once';
  }

  saved(type: 'DELIVERED' | 'READ', seq: number): void {
    this.#known = true;
    const marks = (this.#marks[this.#history.seat] ??= { delivered: 0, read: 0 });
    if (type === 'READ') marks.read = Math.max(marks.read, seq);
    else marks.delivered = Math.max(marks.delivered, seq);
    const { chat } = this.#history;
    if (!this.#mixed.has(chat) && !this.#isLarge(chat)) this.#mixed.add(chat);
  }

  changed(): void {
    // Around the limit a service may still believe in the size before.
    const size = this.#size(this.#history.chat);
    if (this.#history.heads[this.#history.chat]! > 0 && size <= this.#limits.receiptMembers + 1)
      this.#mixed.add(this.#history.chat);
  }

  watch(on: boolean): void {
    if (on) this.#watching.add(this.#history.pair);
    else this.#watching.delete(this.#history.pair);
  }

  /** The app starts anew, and shows what it is told then. */
  forget(): void {
    this.#shown[this.#history.pair]?.clear();
  }

  shown(
    o: Extract<Observation, { kind: 'count-shown' }>,
    at: number,
    atOnce: boolean,
  ): Violation | undefined {
    const { pair, device, chat, user } = this.#history;
    const who = this.#history.nameDevice(device);
    const what = this.#history.nameSeq(chat, o.seq);
    const all = (this.#shown[pair] ??= new Map());
    const before = all.get(o.seq);
    all.set(o.seq, { delivered: o.deliveredCount, read: o.readCount });
    const said = `it is shown ${o.deliveredCount} and ${o.readCount}`;
    if (atOnce && user !== this.#senderOf(chat, o.seq))
      return broken(NAME, at, `${who} did not write ${what}, and hears no counts of it`, said);
    if (before !== undefined && (before.delivered > o.deliveredCount || before.read > o.readCount)) {
      const expected = `${who} was shown that ${before.delivered} have ${what} and ${before.read} have read it, or more since`;
      return broken(NAME, at, expected, said);
    }
    const truth = this.#truth(chat, o.seq);
    if (!atOnce || (o.deliveredCount <= truth.delivered && o.readCount <= truth.read)) return undefined;
    return broken(NAME, at, `${truth.delivered} have ${what}, and ${truth.read} have read it`, said);
  }

  missing(at: number): Violation | undefined {
    const waiting = this.waiting();
    return waiting === undefined ? undefined : overdue(NAME, at, waiting[0], waiting[1], [waiting[2]]);
  }

  /** @returns in words what somebody who looks is not shown yet; undefined when there is no such. */
  waiting(): [expected: string, observed: string, stuck: string] | undefined {
    const history = this.#history;
    if (!this.#known || !history.healed || history.activeFaults > 0) return undefined;
    for (const pair of this.#watching) {
      const device = history.pairDevice[pair]!;
      const chat = history.pairChat[pair]!;
      if (!history.served[device]! || !history.live[device]! || this.#mixed.has(chat)) continue;
      // Who has left and opens the chat is refused.
      const seat = history.seatOf(history.deviceUser[device]!, chat);
      if (!history.isMember(seat) || !this.#isLarge(chat)) continue;
      const head = history.heads[chat]!;
      for (let seq = Math.max(1, head - this.#limits.countedMessages + 1); seq <= head; seq++) {
        if (this.#senderOf(chat, seq) !== history.deviceUser[device]) continue;
        const truth = this.#truth(chat, seq);
        const shown = this.#shown[pair]?.get(seq) ?? { delivered: 0, read: 0 };
        if (shown.delivered === truth.delivered && shown.read === truth.read) continue;
        const who = history.nameDevice(device);
        const what = history.nameSeq(chat, seq);
        return [
          `${who}, with the chat on screen, is shown that ${truth.delivered} have ${what} and ${truth.read} have read it`,
          `it is shown ${shown.delivered} and ${shown.read}`,
          `${who} waits for the counts of ${what}`,
        ];
      }
    }
    return undefined;
  }

  #senderOf(chat: number, seq: number): number {
    const message = this.#history.messageAt[chat]![seq];
    const send = message === undefined ? NONE : this.#history.messageSend[message]!;
    const device = send === NONE ? NONE : this.#history.sendDevice[send]!;
    return device === NONE ? NONE : this.#history.deviceUser[device]!;
  }

  #truth(chat: number, seq: number): Count {
    const history = this.#history;
    const sender = this.#senderOf(chat, seq);
    let delivered = 0;
    let read = 0;
    for (const seat of history.chatSeats[chat]!) {
      if (history.seatUser[seat] === sender || !sees(history.spans[seat]!, seq)) continue;
      const marks = this.#marks[seat];
      if (marks === undefined) continue;
      if (marks.delivered >= seq) delivered++;
      if (marks.read >= seq) read++;
    }
    return { delivered, read };
  }

  #size(chat: number): number {
    let members = 0;
    for (const seat of this.#history.chatSeats[chat]!) if (this.#history.isMember(seat)) members++;
    return members;
  }

  #isLarge(chat: number): boolean {
    return this.#size(chat) > this.#limits.receiptMembers;
  }
}
