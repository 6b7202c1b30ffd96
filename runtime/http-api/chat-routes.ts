import type { ChatId, UserId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { ChatRecord, Span } from '../../core/contract/records.ts';
import { canSee } from '../../core/sequencing/membership.ts';
import type { Done, ChatStore } from '../ports/message-store.ts';
import { ProblemError } from './http-exchange.ts';
import { problem } from './problem.ts';
import {
  chatParams,
  createChatBody,
  historyQuery,
  memberBody,
  memberParams,
  parseInput,
  receiptsQuery,
} from './request-schema.ts';
import type { Route } from './router.ts';
import type { ServiceCalls } from './service-calls.ts';
import { answered, storeDown } from './store-answer.ts';
import { chatShape, chatSummaryShape, historyShape, receiptsShape } from './wire-shape.ts';

export interface ChatRoutesOptions {
  readonly store: ChatStore;
  readonly service: ServiceCalls;
  readonly limits: Limits;
}

/**
 * Chats, members, history and receipts. Whoever may not see a chat gets the same answer as for a chat that does not
 * exist, from every route.
 */
export function chatRoutes(options: ChatRoutesOptions): Route[] {
  return [...chatListRoutes(options), ...memberRoutes(options), ...messageRoutes(options)];
}

function chatListRoutes({ store, service, limits }: ChatRoutesOptions): Route[] {
  const body = createChatBody(limits.chatMembers);
  return [
    {
      method: 'POST',
      path: '/v1/chats',
      auth: 'bearer',
      input: { body },
      async handle(exchange) {
        const { kind, members } = parseInput(body, exchange.body);
        const { userId } = exchange.identity;
        const reply = await service.call((replyTo) => ({
          kind: 'create-chat',
          replyTo,
          userId,
          chatKind: kind,
          members,
        }));
        if (reply.kind !== 'chat-created')
          throw new ProblemError(problem('internal', `unexpected answer ${reply.kind}`));
        return {
          status: reply.created ? 201 : 200,
          json: { chatId: reply.chatId, created: reply.created },
          headers: { location: `/v1/chats/${reply.chatId}` },
        };
      },
    },
    {
      method: 'GET',
      path: '/v1/chats',
      auth: 'bearer',
      async handle({ identity }) {
        const result = await called(store.listChats.bind(store), identity);
        if (result.outcome !== 'ok') throw storeDown();
        return {
          status: 200,
          json: { chats: result.chats.map(chatSummaryShape), complete: result.complete },
        };
      },
    },
    {
      method: 'GET',
      path: '/v1/chats/:chatId',
      auth: 'bearer',
      input: { params: chatParams },
      async handle({ params, identity }) {
        const { chatId } = parseInput(chatParams, params);
        if ((await spansOf(store, chatId, identity.userId)).length === 0) throw noSuchChat();
        const chat = await loadChat(store, chatId);
        const shape = chat && chatShape(chat, identity.userId);
        if (shape === undefined) throw noSuchChat();
        return { status: 200, json: shape };
      },
    },
  ];
}

function memberRoutes({ service }: ChatRoutesOptions): Route[] {
  return [
    {
      method: 'PUT',
      path: '/v1/chats/:chatId/members/:userId',
      auth: 'bearer',
      input: { params: memberParams, body: memberBody },
      async handle({ params, body, identity: { userId } }) {
        const { chatId, userId: member } = parseInput(memberParams, params);
        const { role } = parseInput(memberBody, body);
        await service.call((replyTo) => ({ kind: 'set-member', replyTo, userId, chatId, member, role }));
        return { status: 204 };
      },
    },
    {
      method: 'DELETE',
      path: '/v1/chats/:chatId/members/:userId',
      auth: 'bearer',
      input: { params: memberParams },
      async handle({ params, identity: { userId } }) {
        const { chatId, userId: member } = parseInput(memberParams, params);
        await service.call((replyTo) => ({ kind: 'remove-member', replyTo, userId, chatId, member }));
        return { status: 204 };
      },
    },
  ];
}

function messageRoutes({ store, limits }: ChatRoutesOptions): Route[] {
  const query = historyQuery(limits.syncPage);
  return [
    {
      method: 'GET',
      path: '/v1/chats/:chatId/messages',
      auth: 'bearer',
      input: { params: chatParams, query },
      async handle({ params, query: search, identity: { userId } }) {
        const { chatId } = parseInput(chatParams, params);
        const { afterSeq, limit } = parseInput(query, Object.fromEntries(search));
        const request = { userId, chatId, afterSeq, limit, bytes: limits.fetchBytes };
        const result = await called(store.fetchHistory.bind(store), request);
        if (result.outcome !== 'ok') throw storeDown();
        if (result.spans.length === 0) throw noSuchChat();
        const visible = result.messages.filter((message) => canSee(result.spans, message.seq));
        return { status: 200, json: historyShape(visible, result.spans, result.head) };
      },
    },
    {
      method: 'GET',
      path: '/v1/chats/:chatId/receipts',
      auth: 'bearer',
      input: { params: chatParams, query: receiptsQuery },
      async handle({ params, query: search, identity: { userId } }) {
        const { chatId } = parseInput(chatParams, params);
        const { serverMsgId } = parseInput(receiptsQuery, Object.fromEntries(search));
        const spans = await spansOf(store, chatId, userId);
        if (spans.length === 0) throw noSuchChat();
        const found = await answered(store.receiptsOf(chatId, serverMsgId));
        if (found === undefined || !canSee(spans, found.seq)) {
          throw new ProblemError(
            problem('bad_frame', 'serverMsgId: no such message in this chat', { status: 404 }),
          );
        }
        const { seq, receipts } = found;
        const deliveredCount = receipts.filter(({ deliveredAt }) => deliveredAt !== undefined).length;
        const readCount = receipts.filter(({ readAt }) => readAt !== undefined).length;
        const counts = { deliveredCount, readCount };
        return { status: 200, json: { serverMsgId, seq, ...counts, receipts: receipts.map(receiptsShape) } };
      },
    },
  ];
}

/** What `userId` may see of the chat, without its other members, of whom there may be ten thousand. */
async function spansOf(store: ChatStore, chatId: ChatId, userId: UserId): Promise<readonly Span[]> {
  const nothing = { userId, chatId, afterSeq: Number.MAX_SAFE_INTEGER, limit: 1, bytes: 1 };
  const result = await called(store.fetch.bind(store), nothing);
  if (result.outcome !== 'ok') throw storeDown();
  return result.spans;
}

async function loadChat(store: ChatStore, chatId: ChatId): Promise<ChatRecord | undefined> {
  const result = await called(store.loadChat.bind(store), { chatId, sends: [] });
  if (result.outcome === 'failed') throw storeDown();
  return result.outcome === 'ok' ? result.chat : undefined;
}

/** A call of the store as a promise: requests over HTTP are few enough to await. */
function called<Request, Result>(
  call: (request: Request, done: Done<Result>) => void,
  request: Request,
): Promise<Result> {
  return new Promise((resolve) => call(request, resolve));
}

function noSuchChat(): ProblemError {
  return new ProblemError(problem('no_such_chat', 'there is no such chat, or you have never been in it'));
}
