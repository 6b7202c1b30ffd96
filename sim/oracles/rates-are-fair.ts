import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { type History, NONE } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import type { Observation, Seen } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { RepeatedAsks } from './repeated-asks.ts';
import { StrangerReads } from './stranger-reads.ts';
import { type Tokens, tokensOf } from './tokens.ts';
import { broken } from './violation.ts';

const NAME = 'rates-are-fair';

/**
 * Promise 11. Rates hold and are fair: a gateway lets no device and no user send faster than its rate, and refuses nobody
 * who is slower; a device that is asked to wait is silent for as long, and what it sends in a chat keeps its order whatever
 * was refused; who asks for the same again does so ever less often; and strangers do not keep a service busy with chats that
 * are not theirs. (That nothing refused is lost is promise 9.) Buckets are judged while no fault is about, since a clock may
 * step and a process that starts anew has forgotten them; so is order, a while after it.
 */
export function ratesAreFair(history: History, options: JudgeOptions): Oracle {
  const { limits } = options;
  const asks = new RepeatedAsks(history, limits);
  const strangers = new StrangerReads(history, limits);
  const waits: { readonly until: number; readonly since: number }[] = [];
  /** By pair: the newest committed of the device's sends. */
  const newest: number[] = [];
  // What is refused because a queue is full comes again by itself, behind what was sent after it.
  const keepsOrder =
    limits.chatBacklog === DEFAULT_LIMITS.chatBacklog &&
    limits.serviceBacklog === DEFAULT_LIMITS.serviceBacklog &&
    limits.sessionRequests === DEFAULT_LIMITS.sessionRequests &&
    limits.strangerBurst === DEFAULT_LIMITS.strangerBurst;
  const rates = new SendRates(history, limits, keepsOrder);
  // What a fault leaves behind (a service that is passed by, a retry that waits) is gone by then.
  const aftermath = limits.leaseTtl + limits.sendRetryMax;
  return {
    name: NAME,
    on: {
      admitted: (o, at) => rates.admitted(o, at),
      refused: (o, at) => rates.refused(o, at),
      'held-back'(o, at) {
        waits[history.device] = { until: at + o.span, since: at };
        return undefined;
      },
      'sent-on': (_, at) => tooEarly(history, waits[history.device], at),
      asked: (o, at) => asks.asked(o, at),
      'read-for': (o, at) => strangers.readFor(o, at),
      committed: (o, at) => (keepsOrder ? overtaken(history, newest, aftermath, o, at) : undefined),
    },
  };
}

type Refusable = Seen<'admitted' | 'refused'>;

class SendRates {
  readonly #history: History;
  readonly #limits: Limits;
  readonly #keepsOrder: boolean;
  /** What a gateway let through, by gateway and device or user: "gateway-0 3". */
  readonly #through = new Map<string, Tokens>();
  /** What was tried anywhere. */
  readonly #tried = new Map<string, Tokens>();
  readonly #refusedAt: number[] = [];
  /** By connection, "gateway-0 7": sends that were refused and not let through since, in the order of their first refusals. */
  readonly #behind = new Map<string, Set<number>>();

  /** @param keepsOrder what is refused comes again in order; else any send may stand behind any other. */
  constructor(history: History, limits: Limits, keepsOrder: boolean) {
    this.#history = history;
    this.#limits = limits;
    this.#keepsOrder = keepsOrder;
  }

  admitted({ gatewayId: gateway, conn }: Refusable, at: number): Violation | undefined {
    for (const tokens of this.#triedBy()) tokens.take(at, 0);
    const { deviceSendInterval, deviceSendBurst, userSendInterval, userSendBurst } = this.#limits;
    const { device, user } = this.#history;
    const own = tokensOf(this.#through, `${gateway} ${device}`, deviceSendInterval, deviceSendBurst);
    const shared = tokensOf(this.#through, `${gateway} of ${user}`, userSendInterval, userSendBurst);
    const bad = this.#tooFast(own, 'of this device', at) ?? this.#tooFast(shared, 'of its user', at);
    own.take(at, 0);
    shared.take(at, 0);
    if (this.#behind.size > 0) this.#behind.get(`${gateway} ${conn}`)?.delete(this.#history.send);
    return bad;
  }

  /** A gateway that may remember a bucket or two forgets others; that is what its limit says. */
  #tooFast(tokens: Tokens, whose: string, at: number): Violation | undefined {
    if (tokens.level(at) >= tokens.interval) return undefined;
    if (!this.#history.calmSince(at - 2 * tokens.full)) return undefined;
    if (this.#limits.rateBuckets < DEFAULT_LIMITS.rateBuckets) return undefined;
    const who = this.#history.nameDevice(this.#history.device);
    const wait = tokens.interval - tokens.level(at);
    return broken(NAME, at, `the next SEND ${whose} is let through in ${wait} µs`, `${who} sends another`);
  }

  refused({ gatewayId, conn }: Refusable, at: number): Violation | undefined {
    const { device } = this.#history;
    const before = this.#refusedAt[device] ?? -Infinity;
    this.#refusedAt[device] = at;
    const all = this.#triedBy();
    const has = all.every((tokens) => tokens.level(at) >= tokens.interval);
    for (const tokens of all) tokens.take(at, 0);
    // Behind one that was refused before, it waits for that one, until that is let through or does not come again.
    const [first] = this.#addRefused(`${gatewayId} ${conn}`);
    const mayWait = !this.#keepsOrder || first !== this.#history.send;
    const waits = mayWait && at - before <= this.#limits.ratePause + this.#limits.requestTimeout;
    if (!has || waits || !this.#history.calmSince(at - 2 * Math.max(...all.map(({ full }) => full))))
      return undefined;
    const who = this.#history.nameDevice(device);
    return broken(NAME, at, `${who} may send: it was slower than its rate`, 'its SEND is refused');
  }

  #addRefused(connection: string): ReadonlySet<number> {
    const those = this.#behind.get(connection);
    if (those !== undefined) return those.add(this.#history.send);
    const first = new Set([this.#history.send]);
    this.#behind.set(connection, first);
    return first;
  }

  #triedBy(): readonly Tokens[] {
    const { deviceSendInterval, deviceSendBurst, userSendInterval, userSendBurst } = this.#limits;
    const { device, user } = this.#history;
    return [
      tokensOf(this.#tried, `${device}`, deviceSendInterval, deviceSendBurst),
      tokensOf(this.#tried, `of ${user}`, userSendInterval, userSendBurst),
    ];
  }
}

function tooEarly(
  history: History,
  wait: { readonly until: number; readonly since: number } | undefined,
  at: number,
): Violation | undefined {
  if (wait === undefined || at >= wait.until || !history.calmSince(wait.since)) return undefined;
  const who = history.nameDevice(history.device);
  const expected = `${who}, which was asked to wait, sends nothing for another ${wait.until - at} µs`;
  return broken(NAME, at, expected, 'it sends');
}

function overtaken(
  history: History,
  newest: number[],
  aftermath: number,
  o: Extract<Observation, { kind: 'committed' }>,
  at: number,
): Violation | undefined {
  const device = history.sendDevice[history.send]!;
  if (device === NONE) return undefined;
  const pair = history.pairOf(device, history.chat);
  const before = newest[pair] ?? NONE;
  newest[pair] = history.send;
  if (history.send >= before || !history.undisturbedSince(history.sentAt[history.send]! - aftermath))
    return undefined;
  const who = history.nameDevice(device);
  return broken(
    NAME,
    at,
    `what ${who} sends to ${o.message.chatId} keeps its order: ${history.sendNames[history.send]!} before ${history.sendNames[before]!}`,
    `it gets seq ${o.message.seq}, behind that`,
  );
}
