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

/** Messages kept per chat: `localStorage` holds 5 MB for the whole origin. */
const KEPT_LOCALLY = 20;

interface Saved {
  readonly userId: UserId;
  readonly disk: DeviceDisk;
  readonly shown: readonly ShownMessage[];
}

/**
 * A browser's storage: one item of `localStorage`, written whole at each commit. `setItem` is synchronous and replaces
 * the item or leaves it, which is all the atomicity that is needed.
 * @param key one a device, for example `parley:d_7`.
 */
export function createLocalStorage(key: string, area: Storage = localStorage): DeviceStorage {
  let state: StoredState | undefined;
  let owner: UserId | undefined;

  function save(current: StoredState, userId: UserId): void {
    const shown = [...current.shown.values()].flatMap((messages) => messages.slice(-KEPT_LOCALLY));
    const saved: Saved = { userId, disk: diskOf(current.image), shown };
    area.setItem(key, JSON.stringify(saved));
  }

  return {
    load(userId) {
      const text = area.getItem(key);
      const saved = text === null ? undefined : (JSON.parse(text) as Saved);
      // Another user's device: what it kept is not ours to send.
      const mine = saved?.userId === userId ? saved : { disk: emptyDisk(), shown: [] };
      owner = userId;
      state = newStoredState(userId, mine.disk, mine.shown);
      return Promise.resolve(diskOf(state.image));
    },
    commit(effects) {
      if (state === undefined || owner === undefined) return undefined;
      for (const effect of effects) applyToState(state, effect);
      save(state, owner);
      return undefined;
    },
    messages: (chatId) => state?.shown.get(chatId)?.slice(-KEPT_MESSAGES) ?? [],
    close: () => Promise.resolve(),
  };
}
