import { setTimeout as sleep } from 'node:timers/promises';
import { callHttp } from '../client/http-calls.ts';
import { createLatencySample, type LatencySample } from './latency-sample.ts';
import { connectLoadDevice, type LoadDevice } from './load-device.ts';

/** User ids of groups start here. */
const FIRST_USER = 3_000_000;
const LANES = 16;
const CIPHERTEXT_BYTES = 100;
const WAIT_MS = 20_000;

export interface GroupLoadResult {
  readonly members: number;
  readonly messages: number;
  /** From the sender's ACK until the last member's device has the message, of each message. */
  readonly lastAfterAck: LatencySample;
}

/**
 * One group whose members are all connected; its owner writes a message at a time.
 * @throws Error when a message has not reached everybody in time.
 */
export async function loadGroup(
  urls: readonly string[],
  members: number,
  messages: number,
): Promise<GroupLoadResult> {
  const arrivals = new Arrivals(members - 1);
  const users = Array.from({ length: members }, (_, i) => FIRST_USER + i);
  const devices = await connectAll(urls, users, arrivals);
  const lastAfterAck = createLatencySample();
  try {
    const chatId = await createGroup(urls[0] as string, users);
    for (let i = 0; i < messages; i++) {
      lastAfterAck.add(await arrivals.afterAck(() => devices[0]?.send(chatId, ciphertextOf(i))));
      await sleep(100);
    }
  } finally {
    await Promise.all(devices.map((device) => device.close()));
  }
  return { members, messages, lastAfterAck };
}

/** Counts who has the message under way. */
class Arrivals {
  readonly #receivers: number;
  #missing = 0;
  #ackedAt = 0;
  #done = Promise.withResolvers<void>();

  constructor(receivers: number) {
    this.#receivers = receivers;
  }

  /** @returns milliseconds from the ACK to the last arrival; 0 when that came first. */
  async afterAck(send: () => void): Promise<number> {
    this.#missing = this.#receivers + 1;
    this.#done = Promise.withResolvers();
    const timer = setTimeout(() => {
      this.#done.reject(new Error(`${this.#missing} of ${this.#receivers} members wait after ${WAIT_MS} ms`));
    }, WAIT_MS);
    send();
    await this.#done.promise;
    clearTimeout(timer);
    return Math.max(0, performance.now() - this.#ackedAt);
  }

  acked(): void {
    this.#ackedAt = performance.now();
    this.arrived();
  }

  arrived(): void {
    this.#missing--;
    if (this.#missing === 0) this.#done.resolve();
  }
}

async function connectAll(
  urls: readonly string[],
  users: readonly number[],
  arrivals: Arrivals,
): Promise<readonly LoadDevice[]> {
  const devices: LoadDevice[] = [];
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    for (let i = lane; i < users.length; i += LANES) {
      const user = users[i] as number;
      devices[i] = await connectLoadDevice({
        url: urls[i % urls.length] as string,
        user,
        device: user,
        ...(i === 0 ? { onAck: () => arrivals.acked() } : {}),
        onMessage: () => arrivals.arrived(),
      });
    }
  });
  await Promise.all(lanes);
  return devices;
}

async function createGroup(url: string, users: readonly number[]): Promise<string> {
  const owner = users[0] as number;
  const body = { userId: `u_${owner}`, deviceId: `d_${owner}` };
  const { token } = await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body });
  const chat = { kind: 'group', members: users.slice(1).map((user) => `u_${user}`) };
  return (await callHttp<{ chatId: string }>(url, 'POST', '/v1/chats', { token, body: chat })).chatId;
}

function ciphertextOf(index: number): string {
  return Buffer.alloc(CIPHERTEXT_BYTES, index).toString('base64');
}
