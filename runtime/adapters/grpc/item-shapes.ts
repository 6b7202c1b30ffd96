import type {
  DeliveryItem,
  DeliveryMessage,
  ReceiptCount,
  ReceiptRecord,
} from '../../../core/contract/records.ts';
import type { Push } from '../../../core/session/push.ts';
import type { ReplyTo, ServiceReply, ServiceRequest } from '../../../core/session/service-call.ts';

/**
 * What an item must look like before a machine sees it. Peers are authenticated, but they may be of another version or
 * wrong: a machine whose assertions meet nonsense stops its whole process, so nonsense ends here. Fields that are not
 * named pass unseen, whatever they are: a newer peer may send them, and what is passed on keeps them.
 */
type Shape = (value: unknown) => boolean;

const text: Shape = (value) => typeof value === 'string';
const flag: Shape = (value) => typeof value === 'boolean';
const count: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const time: Shape = (value) => Number.isSafeInteger(value);

const optional =
  (shape: Shape): Shape =>
  (value) =>
    value === undefined || shape(value);
const list =
  (shape: Shape): Shape =>
  (value) =>
    Array.isArray(value) && value.every(shape);
const either = (...texts: readonly string[]): Shape => {
  const known = new Set<unknown>(texts);
  return (value) => known.has(value);
};

/** A shape for every field of the type, so that a new field does not compile before it is thought of here. */
type FieldsOf<Item> = { readonly [Field in keyof Item]-?: Shape };

function object<Item>(fields: FieldsOf<Item>): Shape {
  const names = Object.keys(fields);
  const shapes = Object.values<Shape>(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    for (let i = 0; i < names.length; i++) {
      if (!(shapes[i] as Shape)((value as Record<string, unknown>)[names[i] as string])) return false;
    }
    return true;
  };
}

/** `unknown-kind`: of a version that knows more; not an error. */
export type Verdict = 'ok' | 'unknown-kind' | 'malformed';

type KindsOf<Item extends { readonly kind: string }> = {
  readonly [Kind in Item['kind']]: FieldsOf<Omit<Extract<Item, { readonly kind: Kind }>, 'kind'>>;
};

function byKind<Item extends { readonly kind: string }>(kinds: KindsOf<Item>): (value: unknown) => Verdict {
  const shapes = new Map<unknown, Shape>();
  for (const [kind, fields] of Object.entries<FieldsOf<object>>(kinds)) shapes.set(kind, object(fields));
  return (value) => {
    if (typeof value !== 'object' || value === null) return 'malformed';
    const { kind } = value as { kind?: unknown };
    const shape = shapes.get(kind);
    if (shape === undefined) return typeof kind === 'string' ? 'unknown-kind' : 'malformed';
    return shape(value) ? 'ok' : 'malformed';
  };
}

const replyTo = object<ReplyTo>({ node: text, conn: count });
const receiptType = either('DELIVERED', 'READ');

export const judgeRequest = byKind<ServiceRequest>({
  submit: {
    replyTo,
    userId: text,
    deviceId: text,
    chatId: text,
    clientMsgId: text,
    ciphertext: text,
    mediaIds: list(text),
  },
  receipt: {
    userId: text,
    deviceId: text,
    chatId: text,
    serverMsgId: optional(text),
    seq: optional(count),
    type: receiptType,
    at: time,
  },
  typing: { replyTo, userId: text, chatId: text },
  members: { replyTo, userId: text, chatId: text },
  'create-chat': { replyTo, userId: text, chatKind: either('direct', 'group'), members: list(text) },
  'set-member': { replyTo, userId: text, chatId: text, member: text, role: either('admin', 'member') },
  'remove-member': { replyTo, userId: text, chatId: text, member: text },
});

export const judgeReply = byKind<ServiceReply>({
  ack: {
    conn: count,
    clientMsgId: text,
    chatId: text,
    serverMsgId: text,
    seq: count,
    sentAt: time,
    duplicate: flag,
  },
  refused: {
    conn: count,
    code: text,
    message: text,
    retryAfterMs: optional(count),
    clientMsgId: optional(text),
    chatId: optional(text),
  },
  members: { conn: count, chatId: text, users: list(text) },
  'chat-created': { conn: count, chatId: text, created: flag },
  'member-changed': { conn: count, chatId: text },
});

const judgeDelivery = byKind<DeliveryItem>({
  message: {
    message: object<DeliveryMessage>({
      chatId: text,
      seq: count,
      serverMsgId: text,
      clientMsgId: text,
      from: text,
      fromDevice: text,
      ciphertext: optional(text),
      mediaIds: list(text),
      sentAt: time,
    }),
    huge: optional(flag),
  },
  counts: {
    count: object<ReceiptCount>({
      chatId: text,
      seq: count,
      serverMsgId: text,
      from: text,
      deliveredCount: count,
      readCount: count,
      at: time,
    }),
  },
  receipt: {
    receipt: object<ReceiptRecord>({
      chatId: text,
      userId: text,
      type: receiptType,
      seq: count,
      serverMsgId: text,
      at: time,
    }),
  },
  typing: { chatId: text, from: text },
});

const pushHead = object<Omit<Push, 'item'>>({
  worker: text,
  pushId: count,
  userId: text,
  deviceId: text,
  epoch: count,
});

export function judgePush(value: unknown): Verdict {
  return pushHead(value) ? judgeDelivery((value as { readonly item?: unknown }).item) : 'malformed';
}

export const isPushOutcome = either('settled', 'no-session', 'unreachable');
export const isText = text;
export const isCount = count;
