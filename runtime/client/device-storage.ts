import type { ChatId, UserId } from '../../core/contract/ids.ts';
import {
  applyToDisk,
  diskOf,
  emptyDisk,
  newDiskImage,
  type DeviceDisk,
  type DiskImage,
} from '../../core/device/device-disk.ts';
import type { DeviceEffect, ShownMessage } from '../../core/device/device-effect.ts';

/** Effects that must survive a restart of the application before any later effect of their step is carried out. */
export type DurableEffect = Extract<DeviceEffect, { kind: 'outbox-put' | 'outbox-drop' | 'cursor' | 'show' }>;

export function isDurable(effect: DeviceEffect): effect is DurableEffect {
  const { kind } = effect;
  return kind === 'show' || kind === 'outbox-put' || kind === 'outbox-drop' || kind === 'cursor';
}

/** Where one device of one user keeps its outbox, its cursors and its latest messages. One client at a time. */
export interface DeviceStorage {
  /** Reads what earlier runs kept. Called once, before anything else. */
  load(userId: UserId): Promise<DeviceDisk>;
  /** Saves the effects in one step, all or nothing. @returns undefined when they are durable already. */
  commit(effects: readonly DurableEffect[]): Promise<void> | undefined;
  /**
   * Whether an outbox item of so many characters can be kept. Asked before a send, which is refused otherwise: a `commit`
   * that fails is the end of the client. Left out by a storage that is as large as a disk.
   */
  hasRoomFor?(chars: number): boolean;
  /** The latest messages of a chat that this device has shown, oldest first. */
  messages(chatId: ChatId): readonly ShownMessage[];
  close(): Promise<void>;
}

/** Messages kept per chat; older ones are read from the server. */
export const KEPT_MESSAGES = 200;

/** What a storage holds in memory: the disk of the device machine, and the messages that an application shows first. */
export interface StoredState {
  readonly image: DiskImage;
  readonly shown: Map<ChatId, ShownMessage[]>;
}

export function newStoredState(
  userId: UserId,
  disk: DeviceDisk,
  shown: readonly ShownMessage[],
): StoredState {
  const state: StoredState = { image: newDiskImage(userId, disk), shown: new Map() };
  for (const message of shown) keep(state, message);
  return state;
}

export function applyToState(state: StoredState, effect: DurableEffect): void {
  applyToDisk(state.image, effect);
  if (effect.kind === 'show') keep(state, effect.message);
}

function keep({ shown }: StoredState, message: ShownMessage): void {
  const messages = shown.get(message.chatId);
  if (messages === undefined) {
    shown.set(message.chatId, [message]);
    return;
  }
  messages.push(message);
  // Cut rarely, not at every message.
  if (messages.length >= 2 * KEPT_MESSAGES) messages.splice(0, messages.length - KEPT_MESSAGES);
}

/** A storage that forgets when the process ends: for tests, and for guests. */
export function createMemoryStorage(): DeviceStorage {
  let state: StoredState | undefined;
  return {
    load(userId) {
      state ??= newStoredState(userId, emptyDisk(), []);
      return Promise.resolve(diskOf(state.image));
    },
    commit(effects) {
      if (state !== undefined) for (const effect of effects) applyToState(state, effect);
      return undefined;
    },
    messages: (chatId) => state?.shown.get(chatId)?.slice(-KEPT_MESSAGES) ?? [],
    close: () => Promise.resolve(),
  };
}
