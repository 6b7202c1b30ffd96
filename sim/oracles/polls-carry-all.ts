import type { History } from './history.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';

const NAME = 'polls-carry-all';

type Answered = Extract<Observation, { readonly kind: 'poll-answered' }>;

/**
 * Promise 13. A poll session is as good as a socket, whatever becomes of its requests and answers: the device is handed
 * each frame that the session said, once, in order, and hears of its end after the last of them. An answer begins behind
 * what the device has acknowledged, and never behind what it has not got.
 */
export function pollsCarryAll(history: History): Oracle {
  /** By session: how many frames its device was handed. */
  const heard = new Map<string, number>();
  return {
    name: NAME,
    on: {
      'poll-answered'(o, at) {
        const session = `${o.gatewayId} ${o.conn}`;
        const before = heard.get(session) ?? 0;
        heard.set(session, before + o.heard.length);
        return judge(o, before, history.nameDevice(history.device), at);
      },
    },
  };
}

function judge(o: Answered, before: number, who: string, at: number): Violation | undefined {
  const { acked, after, had, said } = o;
  if (after > had) {
    return broken(
      NAME,
      at,
      `an answer to ${who} begins behind frame ${had}, the last that it has, or earlier`,
      `it begins behind frame ${after}: what lies between is gone`,
    );
  }
  if (after < acked) {
    return broken(
      NAME,
      at,
      `${who} is not sent again what it has acknowledged, up to frame ${acked}`,
      `an answer begins behind frame ${after}`,
    );
  }
  const wrong = o.heard.findIndex((place, i) => place !== before + i + 1);
  if (wrong >= 0) {
    const expected = `${who} is handed frame ${before + wrong + 1} of its session next`;
    return broken(NAME, at, expected, `it is handed frame ${o.heard[wrong]!}`);
  }
  if (said === undefined || before + o.heard.length === said) return undefined;
  return broken(
    NAME,
    at,
    `${who} hears of the end of its session after all ${said} frames of it`,
    `it hears of it after ${before + o.heard.length}`,
  );
}
