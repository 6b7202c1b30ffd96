import autocannon from 'autocannon';
import { callHttp } from '../client/http-calls.ts';

export interface HttpLoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, errors and timeouts. */
  readonly failures: number;
}

const CONNECTIONS = 32;
const USER = 'u_4000001';

/** `history`: a page of a chat. `poll`: polls of one session that has nothing to say, each answered at once. */
export async function loadHttp(
  url: string,
  what: 'history' | 'poll',
  seconds: number,
): Promise<HttpLoadResult> {
  const device = { userId: USER, deviceId: 'd_4000001' };
  const { token } = await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body: device });
  const path = what === 'history' ? await historyPath(url, token) : await pollPath(url, token);
  const result = await autocannon({
    url: `${url}${path}`,
    // A session has one poll at a time; a newer one replaces it.
    connections: what === 'history' ? CONNECTIONS : 1,
    duration: seconds,
    headers: { authorization: `Bearer ${token}` },
  });
  return {
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    failures: result.non2xx + result.errors + result.timeouts,
  };
}

async function historyPath(url: string, token: string): Promise<string> {
  const body = { kind: 'group', members: [] };
  const { chatId } = await callHttp<{ chatId: string }>(url, 'POST', '/v1/chats', { token, body });
  return `/v1/chats/${chatId}/messages?afterSeq=0&limit=50`;
}

async function pollPath(url: string, token: string): Promise<string> {
  const body = { cursors: {} };
  const { pollId } = await callHttp<{ pollId: string }>(url, 'POST', '/poll/connect', { token, body });
  return `/poll/${pollId}?waitMs=0`;
}
