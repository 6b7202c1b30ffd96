import type { Limits } from '../../core/contract/limits.ts';
import { OPEN_END, type Span } from '../../core/contract/records.ts';
import type { PresenceStatus } from '../../core/wire/frames.ts';
import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken, overdue } from './violation.ts';

const NAME = 'presence-converges';
const MOST_STUCK = 12;

/** Longest time from a change of the truth to the screens that watch: the lease runs out, is read again, then the grace. */
export function presenceBound(limits: Limits): number {
  return limits.leaseTtl + limits.heartbeat + limits.silence + limits.presenceRefresh + limits.presenceGrace;
}

/**
 * Promise 6. Once faults and changes are over, every screen that watches a user shows the truth: no ghost, nobody missing.
 * And without a fault nobody flaps: a user with a live device is not shown OFFLINE, nor one who was back within the grace.
 */
export function presenceConverges(history: History, options: JudgeOptions): Oracle {
  const screens = new Screens(history, options.limits);
  const bound = presenceBound(options.limits);
  return {
    name: NAME,
    on: {
      watching(o, at) {
        screens.watch(o.on, at);
        return undefined;
      },
      member(o, at) {
        screens.changeMember(o.member.spans, at);
        return undefined;
      },
      'presence-shown'(o, at) {
        const blinks = o.status === 'OFFLINE' ? flap(history, options.limits, screens, at) : undefined;
        screens.show(o.status, at);
        return blinks;
      },
      end: (o, at) => (history.healed ? wrongAtEnd(screens, o, bound, at) : undefined),
    },
    settled: () => screens.wrong(1).length === 0,
  };
}

interface Wrong {
  readonly words: string;
  /** Since when nothing has happened that would excuse it, microseconds. */
  readonly since: number;
}

/** What every device watches, and what it was last told of whom. */
class Screens {
  readonly #history: History;
  readonly #limits: Limits;
  /** By device: chat -> since when. */
  readonly #watched: Map<number, number>[] = [];
  /** By device, then user. */
  readonly #shown: PresenceStatus[][] = [];
  readonly #shownAt: number[][] = [];
  /** By device: when it last opened or closed a chat. */
  readonly #watchChanges: number[] = [];
  #memberChange = -Infinity;

  constructor(history: History, limits: Limits) {
    this.#history = history;
    this.#limits = limits;
  }

  /** Who is no member is refused, and has to open the chat again once he is one. */
  watch(on: boolean, at: number): void {
    this.#watchChanges[this.#history.device] = at;
    if (on && !this.#history.isMember(this.#history.seat)) return;
    const chats = (this.#watched[this.#history.device] ??= new Map());
    if (!on) chats.delete(this.#history.chat);
    // What is over the limit is refused.
    else if (!chats.has(this.#history.chat) && chats.size < this.#limits.openChats)
      chats.set(this.#history.chat, at);
  }

  changeMember(spans: readonly Span[], at: number): void {
    this.#memberChange = at;
    if (spans.at(-1)?.upTo === OPEN_END) return;
    for (const device of this.#history.userDevices[this.#history.user]!) {
      this.#watched[device]?.delete(this.#history.chat);
    }
  }

  show(status: PresenceStatus, at: number): void {
    (this.#shown[this.#history.device] ??= [])[this.#history.user] = status;
    (this.#shownAt[this.#history.device] ??= [])[this.#history.user] = at;
  }

  /** Whether the device at hand showed the user at hand ONLINE, and has watched without a break since. */
  showedOnline(): boolean {
    const { device, user } = this.#history;
    if (this.#shown[device]?.[user] !== 'ONLINE' || !this.#history.live[device]!) return false;
    const since = this.#shownAt[device]![user]!;
    return (
      this.#history.liveSince[device]! <= since &&
      (this.#watchChanges[device] ?? -Infinity) <= since &&
      this.#memberChange <= since
    );
  }

  /** @returns screens of served, live devices that show something else than the truth, at most `limit`. */
  wrong(limit: number): Wrong[] {
    const found: Wrong[] = [];
    const { served, live } = this.#history;
    for (let device = 0; device < this.#watched.length && found.length < limit; device++) {
      const chats = this.#watched[device];
      if (chats === undefined || !served[device]! || !live[device]!) continue;
      for (const [chat, since] of chats) this.#wrongIn(device, chat, since, found);
    }
    return found;
  }

  /** Behind a part that stays broken nobody can tell whether he is there: what he says arrives, or what he is told does. */
  #isUncertain(user: number, truth: PresenceStatus): boolean {
    const { userDevices, live, served, heard } = this.#history;
    return truth === 'ONLINE'
      ? !userDevices[user]!.some((device) => live[device]! && served[device]!)
      : userDevices[user]!.some((device) => heard[device]!);
  }

  #wrongIn(device: number, chat: number, since: number, found: Wrong[]): void {
    const history = this.#history;
    const own = history.deviceUser[device]!;
    const seats = history.chatSeats[chat]!.filter((seat) => history.isMember(seat));
    // Large groups show no presence, and neither does a chat the watcher has left.
    if (
      seats.length - 1 > this.#limits.presenceMembers ||
      !seats.some((seat) => history.seatUser[seat] === own)
    )
      return;
    for (const seat of seats) {
      const user = history.seatUser[seat]!;
      if (user === own) continue;
      const truth = history.liveDevices[user]! > 0 ? 'ONLINE' : 'OFFLINE';
      const shown = this.#shown[device]?.[user] ?? 'OFFLINE';
      if (shown === truth || this.#isUncertain(user, truth)) continue;
      found.push({
        words: `${history.nameDevice(device)} shows ${history.userNames[user]!} ${shown}, who is ${truth}`,
        since: Math.max(
          since,
          history.liveSince[device]!,
          history.healedAt,
          history.onlineSince[user]!,
          history.offlineSince[user]!,
        ),
      });
    }
  }
}

function wrongAtEnd(
  screens: Screens,
  o: Extract<Observation, { kind: 'end' }>,
  bound: number,
  at: number,
): Violation | undefined {
  const overdueOnes = screens.wrong(MOST_STUCK).filter((wrong) => at - wrong.since >= bound || o.quiet);
  if (overdueOnes.length === 0) return undefined;
  return overdue(
    NAME,
    at,
    `every screen shows the truth ${seconds(bound)} after the last change`,
    `${overdueOnes.length} do not`,
    overdueOnes.map((wrong) => wrong.words),
  );
}

function flap(history: History, limits: Limits, screens: Screens, at: number): Violation | undefined {
  const { user } = history;
  const isLive = history.liveDevices[user]! > 0;
  const online = history.onlineSince[user]!;
  const offline = history.offlineSince[user]!;
  const bound = presenceBound(limits);
  if (isLive && history.calmSince(at - bound) && online <= at - bound) {
    return flapped(history, at, `has had a live device for ${seconds(at - online)}`);
  }
  // A screen that has just begun to watch is told what is true at that moment: only a change can blink.
  if (!screens.showedOnline() || !history.calmSince(offline - bound)) return undefined;
  const away = (isLive ? online : at) - offline;
  return away < limits.presenceGrace ? flapped(history, at, `is away for ${seconds(away)} only`) : undefined;
}

function flapped(history: History, at: number, why: string): Violation {
  const who = history.userNames[history.user]!;
  const where = history.device === NONE ? 'a screen' : history.nameDevice(history.device);
  return broken(
    NAME,
    at,
    `${who}, who ${why}, stays ONLINE`,
    `${where} shows ${who} OFFLINE, with no fault about`,
  );
}

const seconds = (micros: number): string => `${(micros / 1_000_000).toFixed(3)} s`;
