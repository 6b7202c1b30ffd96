import { assert } from '../contract/assert.ts';
import type { ChatId, UserId } from '../contract/ids.ts';
import { type Member, OPEN_END, type Role } from '../contract/records.ts';
import type { CreateChatResult } from '../contract/store.ts';
import type { ReplyTo, ServiceRequest } from '../session/service-call.ts';
import type { ErrorCode } from '../wire/frames.ts';
import {
  type AdminRequest,
  type ChatState,
  currentMembers,
  isMember,
  refreshRecipients,
  strangerCode,
} from './chat-state.ts';
import { isCurrent, joined, left } from './membership.ts';
import { type MessageService, newChatId, type Out, pauseFor, reply } from './message-service-state.ts';

/** Creating chats and changing who is in them. A change takes effect at the head it was decided on, or not at all. */

type CreateChat = Extract<ServiceRequest, { kind: 'create-chat' }>;

export function onCreateChat(service: MessageService, request: CreateChat, out: Out): void {
  const members = new Set<UserId>([request.userId, ...request.members]);
  const problem = creationProblem(service, request, members.size);
  if (problem !== undefined) {
    refuse(service, out, request.replyTo, problem[0], problem[1], undefined);
    return;
  }
  const spans = [{ after: 0, upTo: OPEN_END }];
  const call = service.nextCall++;
  service.creating.set(call, { replyTo: request.replyTo });
  out.push({
    kind: 'create-chat',
    call,
    request: {
      chatId: newChatId(service),
      kind: request.chatKind,
      members: [...members].map((userId) => ({
        userId,
        role: userId === request.userId ? 'owner' : 'member',
        spans,
      })),
    },
  });
}

function creationProblem(
  service: MessageService,
  request: CreateChat,
  size: number,
): [ErrorCode, string] | undefined {
  if (request.chatKind === 'direct' && size !== 2)
    return ['bad_frame', 'members: a direct chat has exactly one other member'];
  if (size > service.limits.chatMembers) {
    return ['too_large', `members: a chat has at most ${service.limits.chatMembers} members`];
  }
  if (service.creating.size >= service.limits.chatBacklog)
    return ['overloaded', 'too many chats are being created: try again'];
  return undefined;
}

export function onChatCreated(
  service: MessageService,
  call: number,
  result: CreateChatResult,
  out: Out,
): void {
  const waiting = service.creating.get(call);
  assert(waiting !== undefined, 'a chat creation completed that nobody asked for');
  service.creating.delete(call);
  const { node, conn } = waiting.replyTo;
  if (result.outcome === 'ok') {
    reply(out, node, { kind: 'chat-created', conn, chatId: result.chatId, created: result.created });
  } else {
    // `unknown` too: a repeated direct chat finds itself, a repeated group at worst leaves an empty one behind.
    refuse(
      service,
      out,
      waiting.replyTo,
      'unavailable',
      'the message store does not answer: try again',
      undefined,
    );
  }
}

/**
 * Decides a request on the members as they are known. Answers it when nothing is to be written.
 * @returns the member to write, or undefined when the request is answered.
 */
export function decideAdmin(
  service: MessageService,
  chat: ChatState,
  request: AdminRequest,
  out: Out,
): Member | undefined {
  const actor = chat.members.get(request.userId);
  if (actor === undefined || !isCurrent(actor.spans)) {
    refuseAdmin(service, out, request, ...strangerCode(chat, request.userId));
    return undefined;
  }
  switch (request.kind) {
    case 'members': {
      // Asked for whose presence to show. A larger chat shows none, and is not worth a list.
      const users = chat.size - 1 > service.limits.presenceMembers ? NOBODY : currentMembers(chat);
      const { node, conn } = request.replyTo;
      reply(out, node, { kind: 'members', conn, chatId: chat.chatId, users });
      return undefined;
    }
    case 'set-member':
      return decideSet(service, chat, actor.role, request, out);
    case 'remove-member':
      return decideRemove(service, chat, actor, request, out);
  }
}

const NOBODY: readonly UserId[] = [];

function decideSet(
  service: MessageService,
  chat: ChatState,
  actorRole: Role,
  request: Extract<AdminRequest, { kind: 'set-member' }>,
  out: Out,
): Member | undefined {
  const before = chat.members.get(request.member);
  const current = before !== undefined && isCurrent(before.spans);
  if (chat.kind === 'direct')
    refuseAdmin(service, out, request, 'bad_frame', 'chatId: the members of a direct chat are fixed');
  else if (actorRole === 'member')
    refuseAdmin(service, out, request, 'forbidden', 'only the owner and admins add members');
  else if (current && before.role === 'owner')
    refuseAdmin(service, out, request, 'forbidden', "userId: the owner's role is fixed");
  else if (current && before.role === request.role) changed(out, request);
  else if (current) return { ...before, role: request.role };
  else if (chat.size >= service.limits.chatMembers) {
    refuseAdmin(
      service,
      out,
      request,
      'too_large',
      `the chat has its ${service.limits.chatMembers} members already`,
    );
  } else {
    const member = joined(before, request.member, request.role, chat.head);
    if (member.spans.length <= service.limits.memberSpans) return member;
    refuseAdmin(service, out, request, 'too_large', 'userId: has come and gone too many times in this chat');
  }
  return undefined;
}

function decideRemove(
  service: MessageService,
  chat: ChatState,
  actor: Member,
  request: Extract<AdminRequest, { kind: 'remove-member' }>,
  out: Out,
): Member | undefined {
  const before = chat.members.get(request.member);
  const leaves = request.member === request.userId;
  if (chat.kind === 'direct')
    refuseAdmin(service, out, request, 'bad_frame', 'chatId: the members of a direct chat are fixed');
  else if (!leaves && actor.role === 'member')
    refuseAdmin(service, out, request, 'forbidden', 'only the owner and admins remove members');
  else if (before === undefined || !isCurrent(before.spans)) changed(out, request);
  else if (!leaves && before.role === 'owner')
    refuseAdmin(service, out, request, 'forbidden', 'userId: the owner cannot be removed');
  else return left(before, chat.head);
  return undefined;
}

/** The store has the change: the same decision, on the same head, is now true here too. */
export function applyMemberChange(
  service: MessageService,
  chat: ChatState,
  request: AdminRequest,
  out: Out,
): void {
  assert(request.kind !== 'members', 'reading members changes nothing');
  const before = chat.members.get(request.member);
  if (request.kind === 'remove-member') {
    if (before !== undefined) chat.members.set(request.member, left(before, chat.head));
  } else if (before !== undefined && isCurrent(before.spans)) {
    chat.members.set(request.member, { ...before, role: request.role });
  } else chat.members.set(request.member, { ...joined(before, request.member, request.role, chat.head) });
  chat.version++;
  refreshRecipients(chat, service.limits);
  changed(out, request);
}

/** Typing is best effort: only for small chats that are loaded, never stored, never retried. */
export function onTyping(service: MessageService, user: UserId, chatId: ChatId, out: Out): void {
  const chat = service.chats.get(chatId);
  if (chat === undefined || !chat.known) return;
  if (!isMember(chat, user)) return;
  // All of them but who is typing.
  if (chat.size === 1 || chat.size - 1 > service.limits.receiptMembers) return;
  const others = currentMembers(chat).filter((other) => other !== user);
  const item = { kind: 'typing', chatId, from: user } as const;
  out.push({ kind: 'publish-transient', events: others.map((recipient) => ({ recipient, item })) });
}

function changed(out: Out, request: AdminRequest): void {
  const { node, conn } = request.replyTo;
  reply(out, node, { kind: 'member-changed', conn, chatId: request.chatId });
}

export function refuseAdmin(
  service: MessageService,
  out: Out,
  request: AdminRequest,
  code: ErrorCode,
  message: string,
): void {
  refuse(service, out, request.replyTo, code, message, request.chatId);
}

function refuse(
  service: MessageService,
  out: Out,
  to: ReplyTo,
  code: ErrorCode,
  message: string,
  chatId: ChatId | undefined,
): void {
  const retryAfterMs = pauseFor(service, code);
  reply(out, to.node, {
    kind: 'refused',
    conn: to.conn,
    code,
    message,
    retryAfterMs,
    clientMsgId: undefined,
    chatId,
  });
}
