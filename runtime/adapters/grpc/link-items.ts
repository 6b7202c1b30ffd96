import type { DeviceId, NodeId, UserId } from '../../../core/contract/ids.ts';
import type { DeliveryItem } from '../../../core/contract/records.ts';
import type { LeaseKey } from '../../../core/session/lease.ts';
import type { Push, PushOutcome } from '../../../core/session/push.ts';
import type { ServiceReply, ServiceRequest } from '../../../core/session/service-call.ts';
import {
  isCount,
  isPushOutcome,
  isText,
  judgePush,
  judgeReply,
  judgeRequest,
  type Verdict,
} from './item-shapes.ts';

/**
 * The text of a link (docs/links.md): a message is a JSON array of items, an item an array that begins with its tag.
 * What follows the fields that are known here, fields inside objects, and items under other tags are a newer peer's.
 *
 * `node` in an item is the receiving node, '' for the process itself.
 */
export const TAG = {
  hello: 'hello',
  request: 'q',
  reply: 'a',
  push: 'p',
  pushResult: 'r',
  evict: 'e',
  hint: 'h',
  leaving: 'l',
} as const;

export const encodeRequest = (request: ServiceRequest): string => `["q",${JSON.stringify(request)}]`;
export const encodeReply = (node: string, reply: ServiceReply): string =>
  `["a",${JSON.stringify(node)},${JSON.stringify(reply)}]`;

/** @returns an encoder of pushes. Neighbours that share an item (a group's message, device by device) share its text. */
export function createPushEncoder(): (node: string, push: Push) => string {
  let item: DeliveryItem | undefined;
  let text = '';
  return function encodePush(node, push) {
    if (push.item !== item) {
      text = JSON.stringify(push.item);
      item = push.item;
    }
    const about = JSON.stringify({ ...push, item: undefined });
    return `["p",${JSON.stringify(node)},${about.slice(0, -1)},"item":${text}}]`;
  };
}
export const encodePushResult = (
  node: string,
  pushId: number,
  outcome: PushOutcome | 'unreachable',
): string => (node === '' ? `["r","",${pushId},"${outcome}"]` : JSON.stringify(['r', node, pushId, outcome]));
export const encodeEvict = (node: string, { userId, deviceId }: LeaseKey, epoch: number): string =>
  JSON.stringify(['e', node, userId, deviceId, epoch]);
export const HINT = '["h"]';
export const LEAVING = '["l"]';

/** Takes the items of a message, in order; `node` as in the text. */
export interface ItemSink {
  request(request: ServiceRequest): void;
  reply(node: string, reply: ServiceReply): void;
  push(node: string, push: Push): void;
  pushResult(node: string, pushId: number, outcome: PushOutcome | 'unreachable'): void;
  evict(node: string, device: LeaseKey, epoch: number): void;
  hint(): void;
  leaving(): void;
  /** An item that is passed over. */
  skipped(why: Exclude<Verdict, 'ok'>): void;
}

/** @returns false when the text is no message at all: the stream cannot be trusted any further. */
export function readItems(message: string, sink: ItemSink): boolean {
  let items: unknown;
  try {
    items = JSON.parse(message);
  } catch {
    return false;
  }
  if (!Array.isArray(items)) return false;
  for (const item of items as readonly unknown[]) {
    const verdict: Verdict = Array.isArray(item) ? readItem(item as readonly unknown[], sink) : 'malformed';
    if (verdict !== 'ok') sink.skipped(verdict);
  }
  return true;
}

function readItem(item: readonly unknown[], sink: ItemSink): Verdict {
  switch (item[0]) {
    case TAG.request: {
      const verdict = judgeRequest(item[1]);
      if (verdict === 'ok') sink.request(item[1] as ServiceRequest);
      return verdict;
    }
    case TAG.reply: {
      const verdict = isText(item[1]) ? judgeReply(item[2]) : 'malformed';
      if (verdict === 'ok') sink.reply(item[1] as string, item[2] as ServiceReply);
      return verdict;
    }
    case TAG.push: {
      const verdict = isText(item[1]) ? judgePush(item[2]) : 'malformed';
      if (verdict === 'ok') sink.push(item[1] as string, item[2] as Push);
      return verdict;
    }
    case TAG.pushResult: {
      if (!isText(item[1]) || !isCount(item[2]) || !isText(item[3])) return 'malformed';
      if (!isPushOutcome(item[3])) return 'unknown-kind';
      sink.pushResult(item[1] as string, item[2] as number, item[3] as PushOutcome | 'unreachable');
      return 'ok';
    }
    case TAG.evict: {
      if (!isText(item[1]) || !isText(item[2]) || !isText(item[3]) || !isCount(item[4])) return 'malformed';
      const device = { userId: item[2] as UserId, deviceId: item[3] as DeviceId };
      sink.evict(item[1] as string, device, item[4] as number);
      return 'ok';
    }
    case TAG.hint:
      sink.hint();
      return 'ok';
    case TAG.leaving:
      sink.leaving();
      return 'ok';
    default:
      return isText(item[0]) ? 'unknown-kind' : 'malformed';
  }
}

/** @returns the part of a node's name that items carry: '' for the process itself. */
export function partOf(node: NodeId): string {
  const slash = node.indexOf('/');
  return slash === -1 ? '' : node.slice(slash + 1);
}
