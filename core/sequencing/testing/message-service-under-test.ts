import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../contract/limits.ts';
import { onePlacement } from '../../contract/placement.ts';
import { type ChatRecord, OPEN_END, type Role } from '../../contract/records.ts';
import type {
  AppendResult,
  AskedSend,
  ChangeMemberResult,
  FoundSend,
  LoadResult,
} from '../../contract/store.ts';
import { micros, SECOND } from '../../contract/time.ts';
import type { ServiceRequest, SubmitRequest } from '../../session/service-call.ts';
import { createMessageService, stepMessageService } from '../message-service.ts';
import type { MessageServiceEvent } from '../message-service-event.ts';
import type { MessageService } from '../message-service-state.ts';
import { IDS, line } from './effect-line.ts';

export const C = chatId('c_1');

/** A chat at `head` with members such as `{ u_1: 'owner' }`, all of them from the start. */
export function record(
  head: number,
  members: Record<string, Role>,
  kind: ChatRecord['kind'] = 'group',
): ChatRecord {
  return {
    chatId: C,
    kind,
    head,
    version: 0,
    members: Object.entries(members).map(([user, role]) => ({
      userId: userId(user),
      role,
      spans: [{ after: 0, upTo: OPEN_END }],
    })),
  };
}
export const PAIR = { u_1: 'owner', u_2: 'member' } as const;

export const stored = (seq: number, key: string, id: number, change: Partial<FoundSend> = {}): FoundSend => ({
  chatId: C,
  seq,
  serverMsgId: serverMsgId(`m_${IDS + id}`),
  clientMsgId: clientMsgId(key),
  from: userId('u_1'),
  fromDevice: deviceId('d_1'),
  sameCiphertext: true,
  mediaIds: [],
  sentAt: micros(1),
  ...change,
});
export const loadedWith = (head: number, ...found: FoundSend[]): LoadResult => ({
  outcome: 'ok',
  chat: record(head, PAIR),
  found,
});
export const OK = { outcome: 'ok' } as const;

type AdminChange = [
  kind: 'set-member' | 'remove-member',
  actor: string,
  member: string,
  role?: 'admin' | 'member',
];

/**
 * Instance 1 of the message service and the world around it: each method is one event, and answers with the effects of that
 * event as lines. Unless a test says otherwise the chat is `c_1`, of `u_1` and `u_2`, and the sender `u_1`.
 */
export class MessageServiceUnderTest {
  readonly service: MessageService;
  /** The latest call of the store. */
  #call = 0;
  #now = 1_000;
  #asked: readonly AskedSend[] = [];
  #known = record(0, PAIR);

  constructor(change: Partial<Limits> = {}) {
    this.service = createMessageService({
      nodeId: nodeId('ms-1'),
      instance: 1,
      limits: { ...DEFAULT_LIMITS, ...change },
      placement: onePlacement('eu'),
      region: 'eu',
      seed: 1,
    });
  }

  step(event: MessageServiceEvent): string[] {
    const effects = stepMessageService(this.service, event, micros(this.#now));
    for (const effect of effects) {
      if ('call' in effect) this.#call = effect.call;
      if (effect.kind === 'load-chat') this.#asked = effect.request.sends;
    }
    return effects.map(line);
  }

  later(seconds: number): number {
    return (this.#now += seconds * SECOND);
  }

  retry(): string[] {
    return this.step({ kind: 'wake', timer: 'retry' });
  }

  /** With the chat loaded and nothing under way. */
  ready(chat: ChatRecord = record(0, PAIR)): this {
    this.#known = chat;
    this.request({
      kind: 'members',
      replyTo: { node: nodeId('api-1'), conn: connId(7) },
      userId: userId('u_1'),
      chatId: C,
    });
    this.loaded({ outcome: 'ok', chat, found: [] });
    return this;
  }

  // -------------------------------------------------------------- what is asked

  request(request: ServiceRequest): string[] {
    return this.step({ kind: 'request', request });
  }

  send(key: string, conn = 1, change: Partial<SubmitRequest> = {}): string[] {
    return this.request({
      kind: 'submit',
      replyTo: { node: nodeId('gw-1'), conn: connId(conn) },
      userId: userId('u_1'),
      deviceId: deviceId('d_1'),
      chatId: C,
      clientMsgId: clientMsgId(key),
      ciphertext: 'AAAA',
      mediaIds: [],
      ...change,
    });
  }

  admin(...[kind, actor, member, role = 'member']: AdminChange): string[] {
    return this.request({
      kind,
      replyTo: { node: nodeId('api-1'), conn: connId(7) },
      userId: userId(actor),
      chatId: C,
      member: userId(member),
      role,
    });
  }

  /** As `admin`; when the service first reads the chat again, it finds what it knew. */
  decided(...change: AdminChange): string[] {
    const lines = this.admin(...change);
    return lines[0] === 'load c_1 asking nothing'
      ? this.loaded({ outcome: 'ok', chat: this.#known, found: [] })
      : lines;
  }

  /** Who is in the chat, asked by this user. */
  members(user: string): string[] {
    return this.request({
      kind: 'members',
      replyTo: { node: nodeId('gw-1'), conn: connId(1) },
      userId: userId(user),
      chatId: C,
    });
  }

  // -------------------------------------------------------------- what the store answers

  loaded(result: LoadResult): string[] {
    return this.step({ kind: 'loaded', call: this.#call, chatId: C, result });
  }

  appended(result: AppendResult): string[] {
    return this.step({ kind: 'appended', call: this.#call, chatId: C, result });
  }

  changed(result: ChangeMemberResult): string[] {
    return this.step({ kind: 'member-changed', call: this.#call, chatId: C, result });
  }

  /** What the store was last asked about. */
  sendsAsked(): readonly AskedSend[] {
    return this.#asked;
  }
}

export const start = (change: Partial<Limits> = {}): MessageServiceUnderTest =>
  new MessageServiceUnderTest(change);
