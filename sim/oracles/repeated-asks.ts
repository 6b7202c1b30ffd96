import type { ConnId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { History } from './history.ts';
import type { Observation } from './observation.ts';
import type { Violation } from './oracle.ts';
import { broken } from './violation.ts';

interface Asking {
  readonly conn: ConnId;
  readonly afterSeq: number;
  readonly since: number;
  times: number;
}

/** A device that nobody answers asks for the same on the same connection at pauses that double: what is slow stays usable. */
export class RepeatedAsks {
  readonly #history: History;
  readonly #limits: Limits;
  /** By pair. */
  readonly #asking: Asking[] = [];

  constructor(history: History, limits: Limits) {
    this.#history = history;
    this.#limits = limits;
  }

  asked({ conn, afterSeq }: Extract<Observation, { kind: 'asked' }>, at: number): Violation | undefined {
    const { pair, device, chat } = this.#history;
    const asking = this.#asking[pair];
    if (asking === undefined || asking.conn !== conn || asking.afterSeq !== afterSeq) {
      this.#asking[pair] = { conn, afterSeq, since: at, times: 1 };
      return undefined;
    }
    asking.times++;
    const most = mostAsks(this.#limits, at - asking.since);
    if (asking.times <= most) return undefined;
    const what = `what follows seq ${afterSeq} of ${this.#history.chatNames[chat]!}`;
    return broken(
      'rates-are-fair',
      at,
      `${this.#history.nameDevice(device)} asks for ${what} at most ${most} times in ${at - asking.since} µs`,
      `it asks ${asking.times} times`,
    );
  }
}

/** How often a step of its clock may make a device ask too early on one connection. */
const EARLY_ASKS = 3;

/** Half of each doubled pause is certain, the other half is jitter. A quarter more time, for clocks that are fast. */
function mostAsks({ gapPatience, gapPatienceMax }: Limits, span: number): number {
  let asks = 1;
  let pause = gapPatience;
  for (let left = 1.25 * span - pause; left >= 0; left -= pause) {
    asks++;
    pause = Math.min(2 * pause, gapPatienceMax / 2);
  }
  return asks + EARLY_ASKS;
}
