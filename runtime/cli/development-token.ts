import type { DeviceId, UserId } from '../../core/contract/ids.ts';
import { ApiError, callHttp } from '../client/http-calls.ts';
import { CommandError, EXIT } from './exit-code.ts';

export const DEFAULT_URL = 'http://localhost:8080';

export interface DevelopmentToken {
  readonly token: string;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** What `--url` says. @throws CommandError when it is no URL of a server. */
export function serverUrl(command: string, text: string | undefined): string {
  if (text === undefined) return DEFAULT_URL;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new CommandError(
    EXIT.usage,
    `--url: ${JSON.stringify(text)} is not a URL such as ${DEFAULT_URL}`,
    `parley ${command} --help`,
  );
}

/** Asks a server in development mode for a token. @throws CommandError when there is none, or it gives none. */
export function fetchToken(url: string, user: string, device: string): Promise<DevelopmentToken> {
  return orExplain(
    url,
    callHttp<DevelopmentToken>(url, 'POST', '/v1/dev/token', { body: { userId: user, deviceId: device } }),
  );
}

/** The id behind a name. @throws CommandError when there is no server. */
export async function fetchUserId(url: string, name: string): Promise<UserId> {
  const path = `/v1/dev/users/${encodeURIComponent(name)}`;
  return (await orExplain(url, callHttp<{ userId: UserId }>(url, 'GET', path))).userId;
}

/** Turns what a server answered into what a person should do. */
export async function orExplain<Answer>(url: string, answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.code === 'unreachable') {
      throw new CommandError(EXIT.unavailable, `no Parley answers: ${error.message}`, 'make run');
    }
    if (error.status === 404 && error.code === 'bad_frame') {
      throw new CommandError(EXIT.unavailable, `${url} is not a Parley in development mode`, 'make run');
    }
    throw new CommandError(EXIT.failed, `${url} refused: ${error.message}`);
  }
}
