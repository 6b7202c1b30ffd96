import type { IHeaders, Message } from 'kafkajs';
import { isId } from '../../../core/wire/fields.ts';
import type { ClientMsgId, UserId } from '../../../core/contract/ids.ts';
import { regionOf, type Placement } from '../../../core/contract/placement.ts';
import type { DeliveryEvent, DeliveryItem } from '../../../core/contract/records.ts';
import { deliverTopic } from './kafka-options.ts';

/**
 * One delivery event as a Kafka record: the key is the recipient, the value is the item as compact JSON, and a header names
 * the version of the content; a message that is traced has its trace context in another. What a newer version adds to an item is kept by an older one as it is.
 */
export interface OutgoingRecord {
  readonly topic: string;
  readonly message: Message & { readonly key: string; readonly value: Buffer };
}

/** Raised when an item of an older version could not be understood any more, never for an addition. */
const CONTENT_VERSION = 1;
const HEADERS: IHeaders = { v: Buffer.from(String(CONTENT_VERSION)) };

/** The trace context of a message; undefined when it is not traced. */
export type TraceparentOf = (clientMsgId: ClientMsgId) => string | undefined;

/** Encodes events; neighbours that share an item (a group's message) share its bytes. */
export function encodeEvents(
  events: readonly DeliveryEvent[],
  placement: Placement,
  traceparentOf: TraceparentOf,
): readonly OutgoingRecord[] {
  const topics = new Map<string, string>();
  let item: DeliveryItem | undefined;
  let value: Buffer | undefined;
  let headers = HEADERS;
  return events.map((event) => {
    if (value === undefined || event.item !== item) {
      item = event.item;
      value = Buffer.from(JSON.stringify(item));
      headers = headersOf(item, traceparentOf);
    }
    const home = regionOf(placement, event.recipient);
    let topic = topics.get(home);
    if (topic === undefined) topics.set(home, (topic = deliverTopic(home)));
    return { topic, message: { key: event.recipient, value, headers } };
  });
}

const TRACEPARENT = 'traceparent';

function headersOf(item: DeliveryItem, traceparentOf: TraceparentOf): IHeaders {
  const traceparent = item.kind === 'message' ? traceparentOf(item.message.clientMsgId) : undefined;
  return traceparent === undefined ? HEADERS : { ...HEADERS, [TRACEPARENT]: Buffer.from(traceparent) };
}

/** @returns the trace context that a record came with. */
export function traceparentIn(headers: IHeaders | undefined): string | undefined {
  const value = headers?.[TRACEPARENT];
  return value === undefined ? undefined : String(value);
}

/** Why a record cannot be delivered: a word for the metric and a sentence for whoever reads the dead letter. */
export interface Poison {
  readonly kind: 'poison';
  readonly reason: 'version' | 'key' | 'json' | 'item' | 'unknown-kind';
  readonly detail: string;
}

export interface RawRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: IHeaders | undefined;
}

/** Decodes records one after the other; neighbours with equal bytes share one parsed item. */
export function createRecordDecoder(): (record: RawRecord) => DeliveryEvent | Poison {
  let lastBytes: Buffer | undefined;
  let lastItem: DeliveryItem | undefined;

  return ({ key, value, headers }) => {
    const version = Number(String(headers?.['v'] ?? CONTENT_VERSION));
    if (!(version >= 1 && version <= CONTENT_VERSION))
      return poison('version', `the header v names a content version that this release cannot read`);
    const recipient = key?.toString();
    if (!isId('u', recipient)) return poison('key', 'the key is no user id such as "u_42"');
    if (value === null) return poison('json', 'the record has no value');
    if (lastItem !== undefined && lastBytes?.equals(value) === true)
      return { recipient: recipient as UserId, item: lastItem };
    const item = parseItem(value);
    if ('reason' in item) return item;
    lastBytes = value;
    lastItem = item;
    return { recipient: recipient as UserId, item };
  };
}

function parseItem(value: Buffer): DeliveryItem | Poison {
  let item: unknown;
  try {
    item = JSON.parse(value.toString());
  } catch {
    return poison('json', 'the value is not JSON');
  }
  if (!isFields(item)) return poison('item', 'the value must be one JSON object');
  const { kind } = item;
  if (typeof kind === 'string' && !isKnown(kind))
    return poison('unknown-kind', 'kind: this release does not know it; a newer one wrote the record');
  const wrong = wrongField(item);
  return wrong === undefined
    ? (item as unknown as DeliveryItem)
    : poison('item', `${wrong}: is missing or wrong`);
}

const poison = (reason: Poison['reason'], detail: string): Poison => ({ kind: 'poison', reason, detail });

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns the first field without which the item could not be delivered. Fields that this release does not know are kept. */
function wrongField(item: Fields): string | undefined {
  const { kind } = item;
  return typeof kind === 'string' && isKnown(kind) ? ITEM_CHECKS[kind](item) : 'kind';
}

const isKnown = (kind: string): kind is DeliveryItem['kind'] => Object.hasOwn(ITEM_CHECKS, kind);

type Check = (value: unknown) => boolean;
type Checks = readonly (readonly [name: string, check: Check])[];

const id =
  (prefix: string): Check =>
  (value) =>
    isId(prefix, value);
const isText: Check = (value) => typeof value === 'string';
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;

const MESSAGE_FIELDS: Checks = [
  ['chatId', id('c')],
  ['seq', isCount],
  ['serverMsgId', id('m')],
  ['clientMsgId', isText],
  ['from', id('u')],
  ['fromDevice', id('d')],
  ['ciphertext', (value) => value === undefined || typeof value === 'string'],
  ['mediaIds', (value) => Array.isArray(value) && value.every((each) => isId('x', each))],
  ['sentAt', isCount],
];
const RECEIPT_FIELDS: Checks = [
  ['chatId', id('c')],
  ['userId', id('u')],
  ['type', (value) => value === 'DELIVERED' || value === 'READ'],
  ['seq', isCount],
  ['serverMsgId', id('m')],
  ['at', isCount],
];
const COUNT_FIELDS: Checks = [
  ['chatId', id('c')],
  ['seq', isCount],
  ['serverMsgId', id('m')],
  ['from', id('u')],
  ['deliveredCount', isCount],
  ['readCount', isCount],
  ['at', isCount],
];
const TYPING_FIELDS: Checks = [
  ['chatId', id('c')],
  ['from', id('u')],
];

const ITEM_CHECKS: Readonly<Record<DeliveryItem['kind'], (item: Fields) => string | undefined>> = {
  message: (item) => wrongIn('message', item['message'], MESSAGE_FIELDS),
  receipt: (item) => wrongIn('receipt', item['receipt'], RECEIPT_FIELDS),
  counts: (item) => wrongIn('count', item['count'], COUNT_FIELDS),
  typing: (item) => wrongIn(undefined, item, TYPING_FIELDS),
};

function wrongIn(name: string | undefined, fields: unknown, checks: Checks): string | undefined {
  const prefix = name === undefined ? '' : `${name}.`;
  if (!isFields(fields)) return name ?? 'item';
  for (const [field, check] of checks) if (!check(fields[field])) return `${prefix}${field}`;
  return undefined;
}
