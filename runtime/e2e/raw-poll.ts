import { newPollInbox, takeResponse } from '../../core/device/poll-inbox.ts';
import { frameLog, type RawDevice, type WireFrame } from './frame-log.ts';

/** The device's end of long polling, without a machine behind it: says what the test says, and takes what comes. */
export function openRawPoll(url: string, token: string): RawDevice {
  const inbox = newPollInbox();
  const log = frameLog();
  const stop = new AbortController();
  const closed = Promise.withResolvers<number>();
  const connected = connect();
  /** Requests of one device follow each other, as its frames do. */
  let said: Promise<unknown> = connected;

  async function ask(method: string, path: string, body?: unknown): Promise<PollResponse> {
    const response = await fetch(`${url}/poll/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: stop.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? { frames: [], last: 0 } : await response.json()) as PollResponse;
  }

  function take(response: PollResponse): void {
    for (const frame of takeResponse(inbox, response.frames, response.last) ?? []) log.add(frame);
    if (response.closed === undefined) return;
    closed.resolve(response.closed.code);
    stop.abort();
  }

  async function connect(): Promise<string> {
    const answer = await ask('POST', 'connect', {});
    take(answer);
    return answer.pollId ?? '';
  }

  async function receive(): Promise<void> {
    const pollId = await connected;
    while (!stop.signal.aborted) take(await ask('GET', `${pollId}?waitMs=5000&ack=${inbox.got}`));
  }
  receive().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });

  return {
    ...log,
    closed: closed.promise,
    send(frame) {
      const value: unknown = typeof frame === 'string' ? JSON.parse(frame) : frame;
      said = said.then(async () => {
        take(await ask('POST', await connected, { frames: [value], ack: inbox.got }));
      });
      said.catch(() => undefined);
    },
    async close() {
      if (stop.signal.aborted) return;
      await ask('DELETE', await connected);
      stop.abort();
      closed.resolve(1000);
    },
  };
}

interface PollResponse {
  readonly frames: readonly WireFrame[];
  readonly last: number;
  readonly pollId?: string;
  readonly closed?: { readonly code: number; readonly reason: string };
}
