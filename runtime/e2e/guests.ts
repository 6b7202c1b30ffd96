import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatId } from '../../core/contract/ids.ts';
import { callHttp, createHttpCalls } from '../client/http-calls.ts';
import type { FleetDevice } from './fleet.ts';
import type { Population } from './population.ts';

/** Members who leave and come back, by HTTP, in the midst of traffic. */
export interface Guests {
  /** Changes that were confirmed. */
  readonly changes: number;
  stop(): Promise<void>;
}

const GUESTS = 3;
const PAUSE_MS = 100;

/**
 * Guests are the first listeners of the population. Each leaves the hall and comes back to it, and is in the first of the small
 * groups for a while. They never write, so that no send of theirs is refused.
 * @param urls asked in turn; one that does not answer is passed over, and whether it did what it was asked is in the store.
 */
export function guestsComeAndGo({ groups, listeners }: Population, urls: readonly string[]): Guests {
  const [small, hall] = [groups[0], groups.at(-1)] as [Group, Group];
  let changes = 0;
  let over = false;
  const steps = listeners
    .slice(0, GUESTS)
    .flatMap(({ userId }) => [
      (n: number) => callsOf(hall.owner, urls, n).removeMember(hall.chatId, userId),
      (n: number) => callsOf(small.owner, urls, n).setMember(small.chatId, userId),
      (n: number) => callsOf(hall.owner, urls, n).setMember(hall.chatId, userId),
      (n: number) => callsOf(small.owner, urls, n).removeMember(small.chatId, userId),
    ]);
  const going = (async () => {
    for (let n = 0; !over; n++) {
      const done = await steps[n % steps.length]?.(n).then(
        () => true,
        () => false,
      );
      if (done === true) changes++;
      await sleep(PAUSE_MS);
    }
  })();
  return {
    get changes() {
      return changes;
    },
    async stop() {
      over = true;
      await going;
    },
  };
}

interface Group {
  readonly chatId: ChatId;
  readonly owner: FleetDevice;
}

function callsOf({ userId, deviceId }: FleetDevice, urls: readonly string[], n: number) {
  const url = urls[n % urls.length] as string;
  return createHttpCalls(url, async () => {
    const body = { userId, deviceId };
    return (await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body })).token;
  });
}
