import { assert } from '../contract/assert.ts';
import type { UserId } from '../contract/ids.ts';
import { shardOf } from '../contract/placement.ts';
import type { ReceiptWrite, SaveReceiptsResult } from '../contract/store.ts';
import { type ChatState, currentMembers, wasMember } from '../sequencing/chat-state.ts';
import type { ReceiptLane } from './receipt-writer-state.ts';
import { canSee } from '../sequencing/membership.ts';
import type { MessageService, Out } from '../sequencing/message-service-state.ts';
import type { ReceiptRequest } from '../session/service-call.ts';

/** Gathers receipts, cumulative as they are, and saves them in groups; see `ReceiptWriter` for the rules. */

/** Takes a receipt of a user who is or was in the chat; a stranger's changes nothing. */
export function acceptReceipt(
  service: MessageService,
  chat: ChatState,
  request: ReceiptRequest,
  out: Out,
): void {
  if (!wasMember(chat, request.userId)) return;
  const writer = service.receipts;
  const lane = writer.lanes[shardOf(service.placement, request.chatId)] as ReceiptLane;
  const key = pendingKey(request);
  const waiting = lane.pending.get(key);
  if (waiting?.seq !== undefined && request.seq !== undefined && waiting.seq >= request.seq) return;
  if (waiting === undefined && lane.pending.size + lane.saving.length >= writer.share) {
    writer.refused++;
    return;
  }
  const counted = chat.size > service.limits.receiptMembers;
  const write = toWrite(request, counted ? NOBODY : receiptRecipients(chat, request), counted);
  lane.pending.set(key, write);
  flush(service, lane, out);
}

const NOBODY: readonly UserId[] = [];

function toWrite(r: ReceiptRequest, recipients: readonly UserId[], counted: boolean): ReceiptWrite {
  return {
    chatId: r.chatId,
    userId: r.userId,
    deviceId: r.deviceId,
    type: r.type,
    serverMsgId: r.serverMsgId,
    seq: r.seq,
    at: r.at,
    recipients,
    counted,
  };
}

/** Small chats tell each member who sees the message. */
function receiptRecipients(
  chat: ChatState,
  request: Pick<ReceiptRequest, 'userId' | 'seq'>,
): readonly UserId[] {
  return currentMembers(chat).filter(
    (member) => member !== request.userId && maySee(chat, member, request.seq),
  );
}

/** A seq that only the store knows is told to those who have been there from the start. */
function maySee(chat: ChatState, user: UserId, seq: number | undefined): boolean {
  const spans = chat.members.get(user)?.spans ?? [];
  return seq === undefined ? spans.length === 1 && spans[0]?.after === 0 : canSee(spans, seq);
}

/** What is known by its id only cannot be compared here: all such are written, and the store takes the maximum. */
function pendingKey(
  receipt: Pick<ReceiptWrite, 'chatId' | 'userId' | 'deviceId' | 'type' | 'seq' | 'serverMsgId'>,
): string {
  const { chatId, userId, deviceId, type, seq, serverMsgId } = receipt;
  const key = `${chatId} ${userId} ${deviceId} ${type}`;
  return seq === undefined ? `${key} ${serverMsgId}` : key;
}

function flush(service: MessageService, lane: ReceiptLane, out: Out): void {
  if (lane.phase !== 'idle' || lane.pending.size === 0) return;
  const writes = takeBatch(lane, service.limits.receiptsBatch);
  const call = service.nextCall++;
  lane.phase = 'saving';
  lane.saving = writes;
  lane.call = call;
  out.push({ kind: 'save-receipts', call, writes });
}

function takeBatch(lane: ReceiptLane, max: number): readonly ReceiptWrite[] {
  if (lane.pending.size <= max) {
    const all = [...lane.pending.values()];
    lane.pending.clear();
    return all;
  }
  const writes: ReceiptWrite[] = [];
  for (const [key, write] of lane.pending) {
    if (writes.length === max) break;
    writes.push(write);
    lane.pending.delete(key);
  }
  return writes;
}

function laneOfCall(lanes: readonly ReceiptLane[], call: number): ReceiptLane | undefined {
  return lanes.find((lane) => lane.call === call);
}

export function onReceiptsSaved(
  service: MessageService,
  call: number,
  result: SaveReceiptsResult,
  out: Out,
): void {
  const { lanes } = service.receipts;
  const lane = laneOfCall(lanes, call);
  assert(lane !== undefined, 'receipts were saved that nobody asked to save');
  const writes = lane.saving;
  lane.saving = [];
  lane.call = undefined;
  if (result.outcome === 'ok') {
    lane.phase = 'idle';
    if (writes.some((w) => w.counted || w.recipients.length > 0)) out.push({ kind: 'outbox-hint' });
    flush(service, lane, out);
    return;
  }
  // Again, in front; a later receipt of the same key has the last word.
  const pending = new Map<string, ReceiptWrite>();
  for (const w of writes) {
    pending.set(`${pendingKey(w)} again ${w.serverMsgId ?? w.seq}`, w);
  }
  for (const [key, w] of lane.pending) pending.set(key, w);
  lane.pending = pending;
  // One timer for all lanes: who comes while it runs goes on with the others, a little early.
  const armed = lanes.some(({ phase }) => phase === 'resting');
  lane.phase = 'resting';
  if (!armed) out.push({ kind: 'wake', timer: 'receipts', after: service.limits.storeRetry });
}

export function onReceiptsWake(service: MessageService, out: Out): void {
  for (const lane of service.receipts.lanes) {
    if (lane.phase !== 'resting') continue;
    lane.phase = 'idle';
    flush(service, lane, out);
  }
}
