import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import type { ReceiptType } from '../../core/contract/records.ts';
import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Oracle, Violation, Watches } from './oracle.ts';
import type { Seen } from './observation.ts';
import { overdue } from './violation.ts';
import { sees } from './visible.ts';

const NAME = 'receipts-arrive';

/** Limits that only refuse what is too much. A receipt that is refused waits for the next one of its user. */
const ROOMY: readonly (keyof Limits)[] = [
  'receiptsPending',
  'chatBacklog',
  'serviceBacklog',
  'frameBurst',
  'sessionRequests',
];

/**
 * Promise 13. A receipt is worth no second try of its own, since the next one says more; but in calm weather each arrives:
 * the store has what devices show and what their users read, and the other members of a small chat are shown it. What is lost
 * with a connection of the device itself is said again on the next.
 */
export function receiptsArrive(history: History, options: JudgeOptions): Oracle {
  const owed = new OwedReceipts(history, options.limits);
  const judged =
    options.receiptsOwed === true && ROOMY.every((name) => options.limits[name] >= DEFAULT_LIMITS[name]);
  return {
    name: NAME,
    on: judged ? watchesOf(owed) : {},
    settled: () => !judged || owed.waiting() === undefined,
  };
}

function watchesOf(owed: OwedReceipts): Watches {
  return {
    shown(o, at) {
      if (o.from !== o.userId) owed.show(o.seq, at);
      return undefined;
    },
    read(_, at) {
      owed.read(at);
      return undefined;
    },
    'device-live'(o) {
      if (o.live) owed.begin();
      return undefined;
    },
    'start-cursor'() {
      owed.forget();
      return undefined;
    },
    'watermark-saved'({ receipt }, at) {
      owed.save(receipt.type, receipt.seq, at);
      return undefined;
    },
    'receipt-shown'({ receipt }) {
      owed.tell(receipt.type, receipt.seq);
      return undefined;
    },
    member(o) {
      owed.change(o);
      return undefined;
    },
    end: (_, at) => owed.missing(at),
  };
}

/** A seq, 0 before the first, when it was reached, in microseconds, and the sessions of the device before the one that could say it. */
interface Reached {
  seq: number;
  at: number;
  before: number;
}

/** A READ has no answer: a device says it on one session more than the first that can carry it. */
const SAYS_READ = 2;
type Marks = Record<ReceiptType, Reached>;
const noMarks = (): Marks => ({
  DELIVERED: { seq: 0, at: 0, before: 0 },
  READ: { seq: 0, at: 0, before: 0 },
});
type Waiting = readonly [expected: string, observed: string, stuck: string];

class OwedReceipts {
  readonly #history: History;
  readonly #limits: Limits;
  readonly #patience: number;
  /** By pair: the newest message of somebody else that the device shows, and that its user has read, since the app began. */
  readonly #done: (Marks | undefined)[] = [];
  /** By seat: the watermarks. */
  readonly #saved: Marks[] = [];
  /** By pair, then place of the author in the chat: up to which seq the device was shown receipts. */
  readonly #toldDelivered: number[][] = [];
  readonly #toldRead: number[][] = [];
  /** By device: how often it became live. */
  readonly #sessions: number[] = [];
  /** Chats that were large for a while (their receipts are counted), and those whose members have changed. */
  readonly #leftOut = new Set<number>();

  constructor(history: History, limits: Limits) {
    this.#history = history;
    this.#limits = limits;
    this.#patience = limits.leaseTtl + limits.silence;
  }

  show(seq: number, at: number): void {
    const { DELIVERED } = (this.#done[this.#history.pair] ??= noMarks());
    DELIVERED.seq = seq;
    DELIVERED.at = at;
  }

  read(at: number): void {
    const { pair, device, live } = this.#history;
    const done = this.#done[pair];
    // Who reads the same again says nothing new.
    if (done === undefined || done.READ.seq === done.DELIVERED.seq) return;
    done.READ.seq = done.DELIVERED.seq;
    done.READ.at = at;
    done.READ.before = (this.#sessions[device] ?? 0) - (live[device]! ? 1 : 0);
  }

  begin(): void {
    const { device } = this.#history;
    this.#sessions[device] = (this.#sessions[device] ?? 0) + 1;
  }

  /** What the app had not said yet when it ended, its next RESUME says, or nobody. */
  forget(): void {
    this.#done[this.#history.pair] = undefined;
  }

  save(type: ReceiptType, seq: number, at: number): void {
    const reached = (this.#saved[this.#history.seat] ??= noMarks())[type];
    if (seq <= reached.seq) return;
    reached.seq = seq;
    reached.at = at;
  }

  tell(type: ReceiptType, seq: number): void {
    this.#raise('DELIVERED', seq);
    // READ implies DELIVERED.
    if (type === 'READ') this.#raise('READ', seq);
  }

  #told(type: ReceiptType): number[][] {
    return type === 'READ' ? this.#toldRead : this.#toldDelivered;
  }

  #raise(type: ReceiptType, seq: number): void {
    const { pair, authorSeat, seatPlace } = this.#history;
    const seqs = (this.#told(type)[pair] ??= []);
    const place = seatPlace[authorSeat]!;
    while (seqs.length <= place) seqs.push(0);
    if (seq > seqs[place]!) seqs[place] = seq;
  }

  /**
   * A service may take a size, or a list of members, for the one before the change: the chat is left out from then on. Before
   * its first message too, since whoever was refused a change had a service read its members.
   */
  change({ by }: Seen<'member'>): void {
    const { chat, chatSeats } = this.#history;
    const members = chatSeats[chat]!.filter((seat) => this.#history.isMember(seat)).length;
    if (by !== undefined || members >= this.#limits.receiptMembers) this.#leftOut.add(chat);
  }

  missing(at: number): Violation | undefined {
    const waiting = this.waiting();
    return waiting === undefined ? undefined : overdue(NAME, at, waiting[0], waiting[1], [waiting[2]]);
  }

  waiting(): Waiting | undefined {
    const history = this.#history;
    if (!history.healed || history.activeFaults > 0) return undefined;
    for (let pair = 0; pair < history.pairDevice.length; pair++) {
      const device = history.pairDevice[pair]!;
      const chat = history.pairChat[pair]!;
      const user = history.deviceUser[device]!;
      if (user === NONE || !history.served[device]! || !history.live[device]!) continue;
      const seat = history.seatOf(user, chat);
      if (!history.isMember(seat)) continue;
      const found = this.#unsaved(device, pair, seat) ?? this.#untold(device, pair, seat);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** What the device has done and the store does not know. */
  #unsaved(device: number, pair: number, seat: number): Waiting | undefined {
    const history = this.#history;
    const done = this.#done[pair];
    for (const type of ['DELIVERED', 'READ'] as const) {
      const reached = done?.[type];
      const saved = this.#saved[seat]?.[type].seq ?? 0;
      if (reached === undefined || saved >= reached.seq) continue;
      if (!this.#wasCalm(reached.at) && !this.#isSaidAgain(type, device, reached)) continue;
      // What he saw as a member of an earlier time is settled.
      if (!sees(history.spans[seat]!, reached.seq)) continue;
      const what = history.nameSeq(history.pairChat[pair]!, reached.seq);
      const who = history.nameDevice(device);
      const did = type === 'READ' ? 'read' : 'shows';
      return [
        `${who} ${did} ${what}: the store has ${type} of its user up to there`,
        `it has ${type} up to seq ${saved}`,
        `${who} waits for ${type} of ${what} to be saved`,
      ];
    }
    return undefined;
  }

  /** What the store knows of the other members and the device was not shown. */
  #untold(device: number, pair: number, own: number): Waiting | undefined {
    const history = this.#history;
    const chat = history.pairChat[pair]!;
    if (this.#leftOut.has(chat) || !history.opened[device]!) return undefined;
    const seats = history.chatSeats[chat]!;
    for (let place = 0; place < seats.length; place++) {
      const seat = seats[place]!;
      if (seat === own || !history.isMember(seat)) continue;
      const user = history.seatUser[seat]!;
      for (const type of ['DELIVERED', 'READ'] as const) {
        const mark = this.#saved[seat]?.[type];
        const told = this.#told(type)[pair]?.[place] ?? 0;
        if (mark === undefined || told >= mark.seq || !this.#wasCalm(mark.at)) continue;
        if (!sees(history.spans[own]!, mark.seq)) continue;
        const what = history.nameSeq(chat, mark.seq);
        const who = history.nameDevice(device);
        return [
          `${who} is shown ${type} of ${history.userNames[user]!} up to ${what}`,
          `it is shown it up to seq ${told}`,
          `${who} waits for ${type} of ${history.userNames[user]!} at ${what}`,
        ];
      }
    }
    return undefined;
  }

  /**
   * Whether the session at hand says what an earlier one may have lost: RESUME says DELIVERED, and the first session after the
   * one that may have lost a READ repeats it. It began after the last fault, and what is behind it had been well for long.
   */
  #isSaidAgain(type: ReceiptType, device: number, { before }: Reached): boolean {
    const history = this.#history;
    const since = history.liveSince[device]!;
    if (type === 'READ' && (this.#sessions[device] ?? 0) - before > SAYS_READ) return false;
    return history.calmSince(since) && history.calmBehindSince(since - this.#patience);
  }

  /** Whether nothing that a fault did can still have been felt then: routes and leases of what died are forgotten. */
  #wasCalm(at: number): boolean {
    return this.#history.calmSince(at - this.#patience);
  }
}
