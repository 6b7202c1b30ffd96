import type { UserId } from '../../core/contract/ids.ts';
import { diskOf, emptyDisk, type DeviceDisk } from '../../core/device/device-disk.ts';
import type { ShownMessage } from '../../core/device/device-effect.ts';
import {
  KEPT_MESSAGES,
  applyToState,
  newStoredState,
  type DeviceStorage,
  type StoredState,
} from './device-storage.ts';

/**
 * Messages kept per chat: `localStorage` holds 5 MB for the whole origin. When it is full, fewer: they can be read from the
 * server again, what waits in the outbox cannot.
 */
const KEPT_LOCALLY = [20, 5, 0] as const;
/** What an item of the outbox has besides its ciphertext, and what cursors and receipts may still need. Characters. */
const ROOM = 16 * 1024;

/** Another tab of this browser uses the device. */
export class DeviceInUseError extends Error {
  override readonly name = 'DeviceInUseError';
  constructor(key: string) {
    super(`${key} is in use by another tab`);
  }
}

interface Saved {
  readonly userId: UserId;
  readonly disk: DeviceDisk;
  readonly shown: readonly ShownMessage[];
}

/**
 * A browser's storage: one item of `localStorage`, written whole at each commit. `setItem` is synchronous and replaces
 * the item or leaves it, which is all the atomicity that is needed.
 * @param key one a device, for example `parley:d_7`. One tab at a time has it, by the Web Locks API. What another user has kept
 * there is set aside, as `<key>.<his id>`, and is there again when he comes back: it may be a message not yet sent.
 * @throws DeviceInUseError from `load` when another tab has it.
 */
export function createLocalStorage(
  key: string,
  area: Storage = localStorage,
  locks: LockManager | undefined = globalThis.navigator?.locks,
): DeviceStorage {
  let unlock: (() => void) | undefined;
  let state: StoredState | undefined;
  let owner: UserId | undefined;

  function save(current: StoredState, userId: UserId): void {
    for (const kept of KEPT_LOCALLY) {
      const shown = [...current.shown.values()].flatMap((messages) => messages.slice(messages.length - kept));
      const saved: Saved = { userId, disk: diskOf(current.image), shown };
      try {
        return area.setItem(key, JSON.stringify(saved));
      } catch (error) {
        if (kept === 0) throw error;
      }
    }
  }

  function read(userId: UserId): StoredState {
    const saved = savedAt(key);
    if (saved?.userId === userId) return newStoredState(userId, saved.disk, saved.shown);
    // Twice in the area for a moment: without what can be read from the server again.
    if (saved !== undefined) area.setItem(`${key}.${saved.userId}`, JSON.stringify({ ...saved, shown: [] }));
    const own = savedAt(`${key}.${userId}`);
    if (own === undefined) area.removeItem(key);
    else area.setItem(key, JSON.stringify(own));
    area.removeItem(`${key}.${userId}`);
    return newStoredState(userId, own?.disk ?? emptyDisk(), own?.shown ?? []);
  }

  function savedAt(name: string): Saved | undefined {
    const text = area.getItem(name);
    return text === null ? undefined : (JSON.parse(text) as Saved);
  }

  /** Until `close`, or the end of the tab. A browser without locks is believed to have one tab. */
  async function lock(): Promise<void> {
    if (locks === undefined) return;
    const taken = Promise.withResolvers<boolean>();
    const held = Promise.withResolvers<void>();
    locks
      .request(key, { ifAvailable: true }, (granted) => {
        taken.resolve(granted !== null);
        return granted === null ? undefined : held.promise;
      })
      .catch(taken.reject);
    if (!(await taken.promise)) throw new DeviceInUseError(key);
    unlock = held.resolve;
  }

  return {
    async load(userId) {
      await lock();
      try {
        owner = userId;
        state = read(userId);
        return diskOf(state.image);
      } catch (error) {
        unlock?.();
        throw error;
      }
    },
    commit(effects) {
      if (state === undefined || owner === undefined) return undefined;
      for (const effect of effects) applyToState(state, effect);
      save(state, owner);
      return undefined;
    },
    messages: (chatId) => state?.shown.get(chatId)?.slice(-KEPT_MESSAGES) ?? [],
    hasRoomFor(chars) {
      const room = `${key}.room`;
      try {
        area.setItem(room, ' '.repeat(chars + ROOM));
        return true;
      } catch {
        return false;
      } finally {
        area.removeItem(room);
      }
    },
    close() {
      unlock?.();
      return Promise.resolve();
    },
  };
}
