import autocannon from 'autocannon';
import { callHttp } from '../client/http-calls.ts';
import { connectLoadDevice } from '../e2e/load-device.ts';

export interface HttpLoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, errors and timeouts. */
  readonly failures: number;
  /** Messages in all pages of one round, as counted before the load. */
  readonly messages: number;
}

const CONNECTIONS = 32;
const FIRST_USER = 4_000_001;
/** As many as a limit of 100 requests a second each leaves room for. */
const READERS = 64;
const PAGES = 8;
const PAGE = 50;
const CIPHERTEXT = Buffer.alloc(100, 7).toString('base64');
const FILL_MS = 30_000;

/** Members of a full chat read its pages in turns. @throws Error when the chat cannot be filled. */
export async function loadHistory(url: string, seconds: number): Promise<HttpLoadResult> {
  const users = Array.from({ length: READERS }, (_, i) => FIRST_USER + i);
  const tokens = await Promise.all(users.map((user) => tokenOf(url, user)));
  const [token] = tokens as [string];
  const body = { kind: 'group', members: users.slice(1).map((user) => `u_${user}`) };
  const { chatId } = await callHttp<{ chatId: string }>(url, 'POST', '/v1/chats', { token, body });
  await fill(url, chatId);
  const paths = Array.from(
    { length: PAGES },
    (_, i) => `/v1/chats/${chatId}/messages?afterSeq=${i * PAGE}&limit=${PAGE}`,
  );
  const messages = await countOf(url, token, paths);
  const requests = paths.flatMap((path) =>
    tokens.map((each) => ({ method: 'GET' as const, path, headers: { authorization: `Bearer ${each}` } })),
  );
  const result = await autocannon({ url, connections: CONNECTIONS, duration: seconds, requests });
  return {
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors + result.timeouts,
    messages,
  };
}

async function tokenOf(url: string, user: number): Promise<string> {
  const body = { userId: `u_${user}`, deviceId: `d_${user}` };
  return (await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body })).token;
}

/** A window at a time: more at once would be refused for their rate. */
async function fill(url: string, chatId: string): Promise<void> {
  const done = Promise.withResolvers<void>();
  let acked = 0;
  const device = await connectLoadDevice({
    url,
    user: FIRST_USER,
    device: FIRST_USER,
    onAck() {
      if (++acked >= PAGES * PAGE) done.resolve();
      else if (acked % PAGE === 0) page();
    },
    onRefused: (code) => done.reject(new Error(`the chat cannot be filled: ${code}`)),
  });
  const page = (): void => {
    for (let i = 0; i < PAGE; i++) device.send(chatId, CIPHERTEXT);
  };
  const timer = setTimeout(() => done.reject(new Error(`${acked} messages after ${FILL_MS} ms`)), FILL_MS);
  page();
  try {
    await done.promise;
  } finally {
    clearTimeout(timer);
    await device.close();
  }
}

/** @throws Error when a page is not full: reading nothing would be measured. */
async function countOf(url: string, token: string, paths: readonly string[]): Promise<number> {
  let count = 0;
  for (const path of paths) {
    const { messages } = await callHttp<{ messages: readonly unknown[] }>(url, 'GET', path, { token });
    if (messages.length !== PAGE) throw new Error(`${path} has ${messages.length} messages, not ${PAGE}`);
    count += messages.length;
  }
  return count;
}
