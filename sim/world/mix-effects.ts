import { assertNever } from '../../core/contract/assert.ts';
import type { DeliveryItem, DeliveryMessage, ReceiptRecord } from '../../core/contract/records.ts';
import type { AppendRequest, ReceiptWrite } from '../../core/contract/store.ts';
import type { DeliveryWorkerEffect } from '../../core/delivery/delivery-effect.ts';
import type { DeviceEffect } from '../../core/device/device-effect.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { MessageServiceEffect } from '../../core/sequencing/message-service-effect.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { ServiceRequest } from '../../core/session/service-call.ts';
import type { AckFrame, ClientFrame, MessageFrame, ServerFrame } from '../../core/wire/frames.ts';
import type { StateHash } from '../engine/state-hash.ts';

/**
 * What machines decide is in the hash of a run with every field, so that a core which is not pure shows even where the
 * schedule does not change: another time in a message, another code in a refusal. `mixData` does that for any data, at the
 * price of a walk; what a busy run is full of is spelled out here, which costs a fraction of it.
 */

type Effect = DeviceEffect | GatewayEffect | MessageServiceEffect | RelayEffect | DeliveryWorkerEffect;

export function mixEffects(hash: StateHash, effects: readonly Effect[]): void {
  for (let i = 0; i < effects.length; i++) mixEffect(hash, effects[i]!);
}

function mixEffect(hash: StateHash, effect: Effect): void {
  switch (effect.kind) {
    case 'frame':
      hash.mix(effect.conn);
      mixFrame(hash, effect.frame);
      return;
    case 'wake':
      hash.mixText(effect.timer);
      hash.mixNumber(effect.after);
      return;
    case 'request':
      mixRequest(hash, effect.request);
      return;
    case 'push':
      hash.mix(effect.push.pushId);
      hash.mixText(effect.gatewayId);
      hash.mixText(effect.push.deviceId);
      hash.mix(effect.push.epoch);
      mixItem(hash, effect.push.item);
      return;
    case 'push-result':
      hash.mix(effect.pushId);
      hash.mixText(effect.worker);
      hash.mixText(effect.outcome);
      return;
    case 'show':
      mixMessage(hash, effect.message);
      return;
    case 'receipt':
      mixReceipt(hash, effect.receipt);
      return;
    case 'sent':
      hash.mixText(effect.clientMsgId);
      hash.mixText(effect.serverMsgId);
      hash.mixText(effect.chatId);
      hash.mix(effect.seq);
      return;
    case 'outbox-put':
      hash.mixText(effect.item.clientMsgId);
      hash.mixText(effect.item.chatId);
      hash.mixText(effect.item.ciphertext);
      hash.mixText(effect.item.failed?.code ?? '');
      return;
    case 'outbox-drop':
      hash.mixText(effect.clientMsgId);
      return;
    case 'append':
      mixAppend(hash, effect.request);
      return;
    case 'outbox-hint':
      return;
    case 'publish':
      hash.mix(effect.call);
      for (const { recipient, item } of effect.events) {
        hash.mixText(recipient);
        mixItem(hash, item);
      }
      return;
    case 'save-receipts':
      hash.mix(effect.call);
      for (let i = 0; i < effect.writes.length; i++) mixWrite(hash, effect.writes[i]!);
      return;
    case 'reply':
      hash.mixText(effect.node);
      hash.mix(effect.reply.conn);
      if (effect.reply.kind === 'ack') mixAck(hash, effect.reply);
      else hash.mixData(effect.reply);
      return;
    case 'commit':
      hash.mix(effect.partition);
      hash.mix(effect.generation);
      hash.mix(effect.offset);
      return;
    case 'lookup':
    case 'delete-outbox':
      mixList(hash, effect.call, effect.kind === 'lookup' ? effect.users : effect.ids);
      return;
    default:
      hash.mixData(effect);
  }
}

function mixAppend(hash: StateHash, append: AppendRequest): void {
  hash.mixText(append.chatId);
  hash.mix(append.expectHead);
  hash.mix(append.expectVersion);
  for (let i = 0; i < append.messages.length; i++) {
    const message = append.messages[i]!;
    hash.mixText(message.clientMsgId);
    mixMessage(hash, message);
  }
  hash.mix(append.recipients?.length ?? -1);
  for (const user of append.recipients ?? []) hash.mixText(user);
}

function mixList(hash: StateHash, call: number, items: readonly (string | number)[]): void {
  hash.mix(call);
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (typeof item === 'string') hash.mixText(item);
    else hash.mixNumber(item);
  }
}

function mixFrame(hash: StateHash, frame: ClientFrame | ServerFrame): void {
  switch (frame.frame) {
    case 'MESSAGE':
      hash.mix(frame.prev);
      mixMessage(hash, frame);
      return;
    case 'ACK':
      mixAck(hash, frame);
      return;
    case 'RECEIPT':
      if ('deliveredCount' in frame) hash.mixData(frame);
      else if ('seq' in frame) mixReceipt(hash, frame);
      else {
        hash.mixText(frame.chatId);
        hash.mixText(frame.serverMsgId);
        hash.mixText(frame.type);
      }
      return;
    case 'SEND':
      hash.mixText(frame.clientMsgId);
      hash.mixText(frame.chatId);
      hash.mixText(frame.ciphertext);
      hash.mix(frame.mediaIds.length);
      return;
    case 'PING':
    case 'PONG':
      hash.mixText(frame.frame);
      hash.mixNumber(frame.t);
      return;
    default:
      hash.mixData(frame);
  }
}

function mixAck(
  hash: StateHash,
  ack: Pick<AckFrame, 'clientMsgId' | 'serverMsgId' | 'chatId' | 'seq' | 'duplicate'>,
): void {
  hash.mixText(ack.clientMsgId);
  hash.mixText(ack.serverMsgId);
  hash.mixText(ack.chatId);
  hash.mix(ack.duplicate ? -ack.seq : ack.seq);
}

function mixMessage(hash: StateHash, message: MessageFrame | Omit<DeliveryMessage, 'clientMsgId'>): void {
  hash.mixText(message.serverMsgId);
  hash.mixText(message.chatId);
  hash.mix(message.seq);
  hash.mixText(message.from);
  hash.mixText(message.fromDevice);
  hash.mixText(message.ciphertext ?? '');
  hash.mix(message.mediaIds.length);
  hash.mixNumber(message.sentAt);
}

function mixItem(hash: StateHash, item: DeliveryItem): void {
  switch (item.kind) {
    case 'message':
      hash.mixText(item.message.clientMsgId);
      hash.mix(item.huge === true ? 1 : 0);
      mixMessage(hash, item.message);
      return;
    case 'receipt':
      mixReceipt(hash, item.receipt);
      return;
    case 'counts':
      hash.mixData(item.count);
      return;
    case 'typing':
      hash.mixText(item.chatId);
      hash.mixText(item.from);
      return;
    default:
      assertNever(item);
  }
}

function mixReceipt(hash: StateHash, receipt: ReceiptRecord): void {
  hash.mixText(receipt.chatId);
  hash.mixText(receipt.userId);
  hash.mixText(receipt.type);
  hash.mix(receipt.seq);
  hash.mixText(receipt.serverMsgId);
  hash.mixNumber(receipt.at);
}

function mixWrite(hash: StateHash, write: ReceiptWrite): void {
  hash.mixText(write.chatId);
  hash.mixText(write.userId);
  hash.mixText(write.deviceId);
  hash.mixText(write.type);
  hash.mixText(write.serverMsgId ?? '');
  hash.mix(write.seq ?? 0);
  hash.mixNumber(write.at);
  hash.mix(write.counted ? -1 : write.recipients.length);
  for (let i = 0; i < write.recipients.length; i++) hash.mixText(write.recipients[i]!);
}

function mixRequest(hash: StateHash, request: ServiceRequest): void {
  switch (request.kind) {
    case 'submit':
      hash.mixText(request.replyTo.node);
      hash.mix(request.replyTo.conn);
      hash.mixText(request.userId);
      hash.mixText(request.deviceId);
      hash.mixText(request.chatId);
      hash.mixText(request.clientMsgId);
      hash.mixText(request.ciphertext);
      hash.mix(request.mediaIds.length);
      return;
    case 'receipt':
      hash.mixText(request.userId);
      hash.mixText(request.deviceId);
      hash.mixText(request.chatId);
      hash.mixText(request.serverMsgId ?? '');
      hash.mix(request.seq ?? 0);
      hash.mixText(request.type);
      hash.mixNumber(request.at);
      return;
    default:
      hash.mixData(request);
  }
}
