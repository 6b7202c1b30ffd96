import type { ChatId, ClientMsgId, ServerMsgId, UserId } from '../contract/ids.ts';
import type { DeviceEffect, OutboxItem } from './device-effect.ts';

/** What a device keeps on its disk, and starts from. Plain data. */
export interface DeviceDisk {
  /** Sends without a final answer, in order. */
  readonly outbox: readonly OutboxItem[];
  /** Per chat: the seq up to which everything is shown, and the newest message shown that somebody else sent. */
  readonly cursors: readonly (readonly [ChatId, number, ServerMsgId | undefined])[];
}

export function emptyDisk(): DeviceDisk {
  return { outbox: [], cursors: [] };
}

/** The disk as it stands while a device runs: shells apply each durable effect to it, in order, and save what it holds. */
export interface DiskImage {
  readonly userId: UserId;
  readonly outbox: Map<ClientMsgId, OutboxItem>;
  readonly cursors: Map<ChatId, [ChatId, number, ServerMsgId | undefined]>;
}

export function newDiskImage(userId: UserId, disk: DeviceDisk): DiskImage {
  return {
    userId,
    outbox: new Map(disk.outbox.map((item) => [item.clientMsgId, item])),
    cursors: new Map(disk.cursors.map(([chatId, seq, last]) => [chatId, [chatId, seq, last]])),
  };
}

/** @returns whether the effect changed the image, and so must be durable before what follows it. */
export function applyToDisk(image: DiskImage, effect: DeviceEffect): boolean {
  switch (effect.kind) {
    case 'outbox-put':
      image.outbox.set(effect.item.clientMsgId, effect.item);
      return true;
    case 'outbox-drop':
      return image.outbox.delete(effect.clientMsgId);
    case 'cursor':
      image.cursors.set(effect.chatId, [effect.chatId, effect.seq, undefined]);
      return true;
    case 'show': {
      const { chatId, seq, serverMsgId, from } = effect.message;
      const cursor = image.cursors.get(chatId);
      if (cursor === undefined) {
        image.cursors.set(chatId, [chatId, seq, from === image.userId ? undefined : serverMsgId]);
        return true;
      }
      cursor[1] = seq;
      if (from !== image.userId) cursor[2] = serverMsgId;
      return true;
    }
    default:
      return false;
  }
}

export function diskOf(image: DiskImage): DeviceDisk {
  return {
    outbox: [...image.outbox.values()],
    cursors: Array.from(image.cursors.values(), ([chatId, seq, last]) => [chatId, seq, last]),
  };
}
