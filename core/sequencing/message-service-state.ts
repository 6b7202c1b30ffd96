import { assert } from '../contract/assert.ts';
import type { ChatId, NodeId, ServerMsgId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import { type Placement, regionOf } from '../contract/placement.ts';
import type { ReceiptWriter } from '../receipts/receipt-writer-state.ts';
import type { RateLimiter } from '../session/rate-limit.ts';
import type { ReplyTo, ServiceReply } from '../session/service-call.ts';
import type { ErrorCode } from '../wire/frames.ts';
import { type ChatState, newChatState } from './chat-state.ts';
import type { MessageServiceEffect } from './message-service-effect.ts';

/** The state of one message service, and the few things that all of its parts do with it. */
export interface MessageService {
  readonly nodeId: NodeId;
  readonly limits: Limits;
  readonly seed: number;
  /** Ids are `instance * 2^32 + counter`: unique, since the store hands out each instance once. */
  readonly instance: number;
  nextId: number;
  /** New chats get ids whose home is `region`. */
  readonly placement: Placement;
  readonly region: string;
  nextCall: number;
  /** In order of last use, roughly: the eviction moves touched chats to the end. */
  readonly chats: Map<ChatId, ChatState>;
  /** Sends and administration that wait, over all chats. *Invariant:* at most `serviceBacklog`. */
  backlog: number;
  /** Requests in writes under way. They may have to wait again. *Invariant:* backlog + writing <= serviceBacklog. */
  writing: number;
  readonly creating: Map<number, CreatingChat>;
  readonly receipts: ReceiptWriter;
  /** By user, his sends apart: chats that were read for who turned out to be no member. See strangers.ts. */
  readonly strangers: RateLimiter;
  /** Chats in phase `resting`, until the retry timer. */
  resting: ChatState[];
}

export type Out = MessageServiceEffect[];

/** A chat creation that waits for the store. */
export interface CreatingChat {
  readonly replyTo: ReplyTo;
}

const IDS_PER_INSTANCE = 2 ** 32;

/** @returns the state of a chat, when it is loaded or about to be. */
export function chatIfHere(service: MessageService, id: ChatId): ChatState | undefined {
  const chat = service.chats.get(id);
  if (chat !== undefined) chat.touched = true;
  return chat;
}

/** The state of a chat that is not here; something idle is forgotten for it. Only for a request that is admitted. */
export function addChat(service: MessageService, id: ChatId): ChatState {
  if (service.chats.size >= service.limits.loadedChats) evict(service);
  const chat = newChatState(id);
  service.chats.set(id, chat);
  return chat;
}

/**
 * Second chance, bounded: when everything looked at is busy the map grows by one, and the backlog limit bounds that, since
 * a chat is busy only with what was admitted. What it grew by goes again when there is less to do.
 */
function evict(service: MessageService): void {
  let looks = 64;
  for (const chat of service.chats.values()) {
    if (looks-- === 0 || service.chats.size < service.limits.loadedChats) return;
    service.chats.delete(chat.chatId);
    if (!isBusy(chat) && !chat.touched) continue;
    chat.touched = false;
    service.chats.set(chat.chatId, chat);
  }
}

/** What is merely cold or resting has nothing under way: it waits to be asked for again, and may be forgotten. */
function isBusy(chat: ChatState): boolean {
  return chat.queue.length + chat.writing.length > 0;
}

export function newServerMsgId(service: MessageService): ServerMsgId {
  return `m_${newId(service)}` as ServerMsgId;
}

export function newChatId(service: MessageService): ChatId {
  // As many draws as there are regions, on average.
  for (;;) {
    const id = `c_${newId(service)}` as ChatId;
    if (regionOf(service.placement, id) === service.region) return id;
  }
}

function newId(service: MessageService): number {
  assert(
    service.nextId < IDS_PER_INSTANCE,
    'the ids of this instance are used up: restart the message service',
  );
  return service.instance * IDS_PER_INSTANCE + service.nextId++;
}

export function reply(out: Out, node: NodeId, answer: ServiceReply): void {
  out.push({ kind: 'reply', node, reply: answer });
}

/** @returns milliseconds that whoever is refused with `code` should wait; undefined when waiting cannot help. */
export function pauseFor({ limits }: MessageService, code: ErrorCode): number | undefined {
  if (code !== 'overloaded' && code !== 'unavailable') return undefined;
  return Math.ceil(limits.overloadRetry / 1_000);
}
