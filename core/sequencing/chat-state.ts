import type { ChatId, ClientMsgId, ServerMsgId, UserId } from '../contract/ids.ts';
import type { ChatKind, ChatRecord, Member, StoredMessage } from '../contract/records.ts';
import type { Limits } from '../contract/limits.ts';
import type { Micros } from '../contract/time.ts';
import type { ReceiptRequest, ReplyTo, ServiceRequest, SubmitRequest } from '../session/service-call.ts';
import type { ErrorCode } from '../wire/frames.ts';
import { isCurrent } from './membership.ts';

/** A send that has not been answered. */
export interface PendingSend {
  readonly kind: 'send';
  readonly request: SubmitRequest;
  /** Stays the same over all attempts, so that an attempt whose outcome was unknown is recognised. */
  readonly serverMsgId: ServerMsgId;
  readonly sentAt: Micros;
  /** Everybody who waits: the same send may arrive again over another connection. */
  replyTos: readonly ReplyTo[];
  attempts: number;
  /**
   * Whether the store was asked what became of this send, and whether it has answered. Only then may it be refused for
   * want of membership: the members known here may be stale, and the send may be a message already, by way of another
   * service and before its sender left.
   */
  check: 'none' | 'asked' | 'done';
  /** Another user's send with the same clientMsgId. */
  twin: PendingSend | undefined;
}

export type AdminRequest = Extract<ServiceRequest, { kind: 'set-member' | 'remove-member' | 'members' }>;

export interface PendingAdmin {
  readonly kind: 'admin';
  readonly request: AdminRequest;
  attempts: number;
  /** Whether the chat was read since the request came: "nothing to do" and refusals are not decided on what may be stale. */
  check: 'none' | 'asked' | 'done';
}

export interface PendingReceipt {
  readonly kind: 'receipt';
  readonly request: ReceiptRequest;
  /** A receipt of a user who is not known here is decided on a chat that was read since it came. */
  check: 'none' | 'asked' | 'done';
}

export type Pending = PendingSend | PendingAdmin | PendingReceipt;

/**
 * One chat, as one message service believes it to be. The belief may be stale: every write names the head and version it
 * was decided on, and the store refuses it when they have moved.
 *
 * `phase`:
 * - `cold`: nothing known yet, or what was known is in doubt; a load must come first.
 * - `loading`, `writing`: one store call is under way. *Invariant:* never two.
 * - `idle`: known, nothing under way.
 * - `resting`: the store failed; waits for the retry timer, then goes on as `cold` or `idle` (`afterRest`).
 */
export interface ChatState {
  readonly chatId: ChatId;
  phase: 'cold' | 'loading' | 'idle' | 'writing' | 'resting';
  afterRest: 'cold' | 'idle';
  /** Whether the fields below have ever been read from the store. */
  known: boolean;
  /** When the store last said, or proved by a write that it let through, that they are true. */
  learnedAt: Micros;
  kind: ChatKind;
  head: number;
  version: number;
  members: Map<UserId, Member>;
  /** Current members; undefined when there are more than the outbox row may list. Follows `members`. */
  recipients: readonly UserId[] | undefined;
  /** How many current members there are. Follows `members`. */
  size: number;
  queue: Pending[];
  /** What the write under way carries, in seq order. Empty unless `writing`. */
  writing: readonly (PendingSend | PendingAdmin)[];
  /** The messages that an append under way makes of `writing`. */
  appending: readonly StoredMessage[];
  /**
   * Sends that wait or are being written: a retry joins them instead of racing them. *Invariant:* all of them are here, so
   * that no append carries a send twice. See waiting-sends.ts.
   */
  waiting: Map<ClientMsgId, PendingSend>;
  /** The latest answers, at most `recentSends`, and as many before them. */
  recent: Map<ClientMsgId, StoredMessage>;
  earlier: Map<ClientMsgId, StoredMessage>;
  /** Second chance for the eviction of idle chats. */
  touched: boolean;
}

export function newChatState(chatId: ChatId): ChatState {
  return {
    chatId,
    phase: 'cold',
    afterRest: 'cold',
    known: false,
    learnedAt: 0 as Micros,
    kind: 'group',
    head: 0,
    version: 0,
    members: new Map(),
    recipients: [],
    size: 0,
    queue: [],
    writing: [],
    appending: [],
    waiting: new Map(),
    recent: new Map(),
    earlier: new Map(),
    touched: true,
  };
}

/** Walks all members of a chat that is too large to list: ask `size` first. */
export function currentMembers(chat: ChatState): readonly UserId[] {
  if (chat.recipients !== undefined) return chat.recipients;
  const users: UserId[] = [];
  for (const member of chat.members.values()) if (isCurrent(member.spans)) users.push(member.userId);
  return users;
}

/** Recomputes who gets the next message; call after every change of `members`. */
export function refreshRecipients(chat: ChatState, limits: Limits): void {
  const current: UserId[] = [];
  for (const member of chat.members.values()) if (isCurrent(member.spans)) current.push(member.userId);
  // Of a huge group's members the fan-out tells the active ones only, so it looks at each page itself.
  const most = Math.min(limits.inlineRecipients, limits.hugeGroup);
  chat.recipients = current.length <= most ? current : undefined;
  chat.size = current.length;
}

/** Whether the user is in the chat, as far as is known here. */
export function isMember(chat: ChatState, user: UserId): boolean {
  const member = chat.members.get(user);
  return member !== undefined && isCurrent(member.spans);
}

/** Whether the user is or was in the chat, as far as is known here. Who came and went between two messages never was. */
export function wasMember(chat: ChatState, user: UserId): boolean {
  const member = chat.members.get(user);
  return member !== undefined && member.spans.length > 0;
}

/** A stranger must not learn whether the chat exists; who was a member knows. */
export function strangerCode(chat: ChatState, user: UserId): [ErrorCode, string] {
  return wasMember(chat, user)
    ? ['not_a_member', 'chatId: this user has left the chat']
    : ['no_such_chat', 'chatId: there is no such chat for this user'];
}

/** Takes what the store says of the chat for true. */
export function learn(chat: ChatState, record: ChatRecord, limits: Limits, now: Micros): void {
  chat.learnedAt = now;
  chat.known = true;
  chat.kind = record.kind;
  chat.head = record.head;
  chat.version = record.version;
  chat.members = new Map();
  for (const member of record.members) chat.members.set(member.userId, member);
  refreshRecipients(chat, limits);
}
