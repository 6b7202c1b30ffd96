import type { ChatId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import type { ErrorCode } from '../../core/wire/frames.ts';
import { urlUnder } from './url-under.ts';

/** The server answered a request with a problem document (RFC 9457). */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: ErrorCode | 'unreachable';
  readonly retryable: boolean;
  constructor(status: number, code: ErrorCode | 'unreachable', detail: string, retryable: boolean) {
    super(detail);
    this.status = status;
    this.code = code;
    this.retryable = retryable;
  }
}

export interface ChatInfo {
  readonly chatId: ChatId;
  readonly kind: 'direct' | 'group';
  readonly head: number;
  /** Whether this user is a member now. */
  readonly member: boolean;
  readonly members: readonly { readonly userId: UserId; readonly role: 'owner' | 'admin' | 'member' }[];
}
export interface ChatListEntry {
  readonly chatId: ChatId;
  readonly head: number;
  readonly cursor: number;
  readonly member: boolean;
}
export interface ChatList {
  readonly chats: readonly ChatListEntry[];
  /** False: some chats are missing, because the shard that keeps them does not answer. */
  readonly complete: boolean;
}
export interface HistoryPage {
  readonly head: number;
  readonly messages: readonly HistoryMessage[];
}
export interface HistoryMessage {
  readonly serverMsgId: ServerMsgId;
  readonly chatId: ChatId;
  readonly seq: number;
  readonly prev?: number;
  readonly from: UserId;
  readonly fromDevice: string;
  readonly ciphertext: string;
  readonly mediaIds: readonly string[];
  readonly sentAt: string;
}
export interface MessageReceiptsAnswer {
  readonly serverMsgId: ServerMsgId;
  readonly seq: number;
  readonly receipts: readonly {
    readonly userId: UserId;
    readonly deliveredAt?: string;
    readonly readAt?: string;
  }[];
}

/** The HTTP API of a server, for one token. Every call throws ApiError when it is refused or cannot be reached. */
export interface HttpCalls {
  createChat(
    kind: 'direct' | 'group',
    members: readonly UserId[],
  ): Promise<{ readonly chatId: ChatId; readonly created: boolean }>;
  /** Chats of a part of the server that does not answer are missing: `chatList` says whether some are. */
  chats(): Promise<readonly ChatListEntry[]>;
  chatList(): Promise<ChatList>;
  chat(chatId: ChatId): Promise<ChatInfo>;
  setMember(chatId: ChatId, userId: UserId, role?: 'admin' | 'member'): Promise<void>;
  removeMember(chatId: ChatId, userId: UserId): Promise<void>;
  /** @param limit from 1 to 256. */
  history(chatId: ChatId, afterSeq: number, limit: number): Promise<HistoryPage>;
  receipts(chatId: ChatId, serverMsgId: ServerMsgId): Promise<MessageReceiptsAnswer>;
}

const TIMEOUT_MS = 15_000;

export function createHttpCalls(url: string, getToken: () => Promise<string>): HttpCalls {
  const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> =>
    callHttp<Answer>(url, method, path, { token: await getToken(), body });
  const chatList = (): Promise<ChatList> => call('GET', '/v1/chats');
  return {
    createChat: (kind, members) => call('POST', '/v1/chats', { kind, members }),
    chats: async () => (await chatList()).chats,
    chatList,
    chat: (chatId) => call('GET', `/v1/chats/${chatId}`),
    setMember: (chatId, userId, role = 'member') =>
      call('PUT', `/v1/chats/${chatId}/members/${userId}`, { role }),
    removeMember: (chatId, userId) => call('DELETE', `/v1/chats/${chatId}/members/${userId}`),
    history: (chatId, afterSeq, limit) =>
      call('GET', `/v1/chats/${chatId}/messages?afterSeq=${afterSeq}&limit=${limit}`),
    receipts: (chatId, serverMsgId) => call('GET', `/v1/chats/${chatId}/receipts?serverMsgId=${serverMsgId}`),
  };
}

/** One request. @throws ApiError. */
export async function callHttp<Answer>(
  url: string,
  method: string,
  path: string,
  options: { readonly token?: string; readonly body?: unknown } = {},
): Promise<Answer> {
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers['authorization'] = `Bearer ${options.token}`;
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  const body = options.body === undefined ? {} : { body: JSON.stringify(options.body) };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  try {
    response = await fetch(urlUnder(url, path), { method, headers, signal, ...body });
  } catch (error) {
    const reason =
      error instanceof Error && error.name === 'TimeoutError'
        ? 'did not answer in time'
        : 'cannot be reached';
    throw new ApiError(0, 'unreachable', `${url} ${reason}`, true);
  }
  if (response.status === 204) return undefined as Answer;
  if (response.ok) return (await jsonOf(url, response)) as Answer;
  const problem = ((await response.json().catch(() => undefined)) ?? {}) as {
    code?: ErrorCode;
    detail?: string;
    retryable?: boolean;
  };
  throw new ApiError(
    response.status,
    problem.code ?? 'internal',
    problem.detail ?? `${method} ${path} was answered with ${response.status}`,
    problem.retryable ?? response.status >= 500,
  );
}

/** What answers in a server's place (a portal, a proxy) need not speak its language, nor to the end. @throws ApiError. */
async function jsonOf(url: string, response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    const reason =
      error instanceof SyntaxError ? 'answers, but not as Parley does' : 'did not answer in full';
    throw new ApiError(0, 'unreachable', `${url} ${reason}`, true);
  }
}
