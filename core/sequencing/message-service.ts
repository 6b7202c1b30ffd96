import { assert, assertNever } from '../contract/assert.ts';
import type { NodeId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { Placement } from '../contract/placement.ts';
import { shortList } from '../contract/short-list.ts';
import type { Micros } from '../contract/time.ts';
import { onReceiptsSaved, onReceiptsWake } from '../receipts/receipt-writer.ts';
import { newReceiptWriter } from '../receipts/receipt-writer-state.ts';
import type { ServiceRequest } from '../session/service-call.ts';
import { onChatCreated, onCreateChat, onTyping } from './chat-admin.ts';
import type { MessageServiceEffect } from './message-service-effect.ts';
import type { MessageServiceEvent } from './message-service-event.ts';
import type { MessageService, Out } from './message-service-state.ts';
import { enqueueAdmin, enqueueReceipt, onRetry, onSubmit } from './sequencer.ts';
import { newStrangers } from './strangers.ts';
import { onAppended, onLoaded, onMemberChanged } from './store-answers.ts';

/** 2^21 instances of 2^32 ids each fill the 53 bits that a JavaScript number holds exactly. */
const MAX_INSTANCE = 2 ** 21 - 1;

/**
 * The message service: gives every message of a chat its seq, once, durably, before the sender hears of it.
 *
 * Any number of services may serve one chat at a time, by mistake or during a handover: each decides on what it knows,
 * and the store's compare-and-set on (head, version) lets only one of two conflicting decisions happen. A write whose
 * outcome is unknown is never assumed either way: the chat is loaded again, together with what became of those sends.
 *
 * @param options.instance from 1 to 2^21 - 1, never used before by any message service.
 * @param options.region where this service stands: the chats that it creates have their home there.
 * @throws InvariantError when `instance` is out of range, or `placement` has no shard in `region`.
 */
export function createMessageService(options: {
  readonly nodeId: NodeId;
  readonly instance: number;
  readonly limits: Limits;
  readonly seed: number;
  readonly placement: Placement;
  readonly region: string;
}): MessageService {
  assert(
    Number.isInteger(options.instance) && options.instance >= 1 && options.instance <= MAX_INSTANCE,
    'instance out of range',
  );
  assert(
    options.placement.shards.some(({ region, slots }) => region === options.region && slots.length > 0),
    'the region of this service has no shard',
  );
  return {
    nodeId: options.nodeId,
    limits: options.limits,
    seed: options.seed,
    instance: options.instance,
    nextId: 1,
    placement: options.placement,
    region: options.region,
    nextCall: 1,
    chats: new Map(),
    backlog: 0,
    writing: 0,
    creating: new Map(),
    receipts: newReceiptWriter(options.placement, options.limits),
    strangers: newStrangers(options.limits),
    resting: [],
  };
}

/** Runs one event through the service. `now` is this node's clock. @returns effects, to be carried out in order. */
export function stepMessageService(
  service: MessageService,
  event: MessageServiceEvent,
  now: Micros,
): readonly MessageServiceEffect[] {
  const out: Out = shortList();
  switch (event.kind) {
    case 'request':
      onRequest(service, event.request, now, out);
      break;
    case 'appended':
      onAppended(service, event.chatId, event.result, now, out);
      break;
    case 'loaded':
      onLoaded(service, event.chatId, event.result, now, out);
      break;
    case 'member-changed':
      onMemberChanged(service, event.chatId, event.result, now, out);
      break;
    case 'chat-created':
      onChatCreated(service, event.call, event.result, out);
      break;
    case 'receipts-saved':
      onReceiptsSaved(service, event.call, event.result, out);
      break;
    case 'wake':
      if (event.timer === 'retry') onRetry(service, now, out);
      else onReceiptsWake(service, out);
      break;
    default:
      assertNever(event);
  }
  return out;
}

function onRequest(service: MessageService, request: ServiceRequest, now: Micros, out: Out): void {
  switch (request.kind) {
    case 'submit':
      onSubmit(service, request, now, out);
      break;
    case 'receipt':
      enqueueReceipt(service, request, now, out);
      break;
    case 'typing':
      onTyping(service, request.userId, request.chatId, out);
      break;
    case 'create-chat':
      onCreateChat(service, request, out);
      break;
    case 'set-member':
    case 'remove-member':
    case 'members':
      enqueueAdmin(service, request, now, out);
      break;
    default:
      assertNever(request);
  }
}
