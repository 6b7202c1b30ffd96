import { callHttp } from '../client/http-calls.ts';
import { createReceipts, type LoadDevice, type LoadDeviceOptions } from './load-device.ts';

/** As the SDK does. */
const WAIT_MS = 25_000;

interface PollAnswer {
  readonly pollId?: string;
  readonly last: number;
  readonly frames: readonly PollFrame[];
}
interface PollFrame {
  readonly frame: string;
  readonly chatId?: string;
  readonly serverMsgId?: string;
  readonly ciphertext?: string;
  readonly seq?: number;
  readonly t?: number;
}

/** The lightest device that polls: it gets messages, acknowledges them and answers PING; it does not write. */
export async function connectLoadPoller(options: LoadDeviceOptions): Promise<LoadDevice> {
  const { url, onMessage } = options;
  const body = { userId: `u_${options.user}`, deviceId: `d_${options.device}` };
  const { token } = await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body });
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  let got = 0;
  const ask = async (method: string, path: string, content?: string): Promise<PollAnswer> => {
    const response = await fetch(`${url}/poll/${path}`, {
      method,
      headers,
      signal: stop.signal,
      ...(content === undefined ? {} : { body: content }),
    });
    if (!response.ok) throw new Error(`${method} /poll/${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as PollAnswer;
  };
  const take = ({ frames, last }: PollAnswer): void => {
    // Two responses may cross: what the later one repeats has been seen.
    for (const frame of frames.slice(Math.max(0, frames.length - (last - got)))) {
      if (frame.frame === 'PING') say(`{"frame":"PONG","t":${frame.t ?? 0}}`);
      if (frame.frame !== 'MESSAGE') continue;
      receipts.owe(frame.chatId ?? '', frame.serverMsgId ?? '');
      onMessage?.(frame.ciphertext ?? '', frame.seq ?? 0);
    }
    got = Math.max(got, last);
  };
  const first = await ask('POST', 'connect', '{"cursors":{}}');
  const pollId = first.pollId ?? '';
  let open = true;
  let said: Promise<void> = Promise.resolve();
  /** Frames of one device follow each other. */
  function say(frame: string): void {
    said = said.then(async () => {
      if (open) take(await ask('POST', pollId, `{"frames":[${frame}],"ack":${got}}`));
    });
    said.catch(() => (open = false));
  }
  const receipts = createReceipts(say);
  take(first);
  const polling = (async () => {
    while (open) take(await ask('GET', `${pollId}?waitMs=${WAIT_MS}&ack=${got}`));
  })();
  polling.catch(() => (open = false));
  return {
    send: () => {
      throw new Error('a load device that polls only listens');
    },
    waiting: 0,
    get open() {
      return open;
    },
    async close() {
      open = false;
      receipts.stop();
      stop.abort();
      await Promise.allSettled([polling, said]);
      await fetch(`${url}/poll/${pollId}`, { method: 'DELETE', headers });
    },
  };
}
