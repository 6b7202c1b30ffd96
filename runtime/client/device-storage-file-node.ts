import { mkdirSync, openSync, readFileSync, rmSync, writeSync, closeSync } from 'node:fs';
import { open, rename, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { UserId } from '../../core/contract/ids.ts';
import { diskOf, emptyDisk, type DeviceDisk } from '../../core/device/device-disk.ts';
import type { ShownMessage } from '../../core/device/device-effect.ts';
import {
  KEPT_MESSAGES,
  applyToState,
  newStoredState,
  type DeviceStorage,
  type DurableEffect,
  type StoredState,
} from './device-storage.ts';
import { isRunning, ownLife, type ProcessLife } from './process-life-node.ts';

/**
 * A device's file: a log of commits, one a line, each with a checksum in front. A line that is cut or damaged ends the
 * log: it was never reported as durable. When the log has grown, a snapshot takes its place by rename.
 */

/** The log is rewritten when it has grown by this much, bytes. */
const COMPACT_AFTER = 4 * 1024 * 1024;

type Line =
  | {
      readonly kind: 'snapshot';
      readonly userId: UserId;
      readonly disk: DeviceDisk;
      readonly shown: readonly ShownMessage[];
    }
  | { readonly kind: 'commit'; readonly effects: readonly DurableEffect[] };

/** The file is in use by a client of another process. */
export class StorageInUseError extends Error {
  override readonly name = 'StorageInUseError';
  readonly path: string;
  readonly holder: number;
  constructor(path: string, holder: number) {
    super(`${path} is in use by process ${holder}`);
    this.path = path;
    this.holder = holder;
  }
}

/**
 * @param path the device's file; its folder is created. Beside it lies `<path>.lock` while a client uses it. What another user
 * has kept there is set aside, as `<path>.<his id>`, and is there again when he comes back: it may be a message not yet sent.
 * @throws StorageInUseError from `load` when another process uses the file.
 */
export function createFileStorage(path: string): DeviceStorage {
  let state: StoredState | undefined;
  let owner: UserId | undefined;
  let file: FileHandle | undefined;
  /** Whether the lock is ours: another's is not for us to take away. */
  let locked = false;
  let size = 0;
  let compactAt = COMPACT_AFTER;
  let tail: Promise<void> = Promise.resolve();

  async function append(text: string): Promise<void> {
    if (file === undefined) throw new Error(`${path} is not open`);
    await file.appendFile(text);
    await file.datasync();
    size += Buffer.byteLength(text);
  }

  /** Writes the state anew beside the log and renames it over: at no moment is there no complete file. */
  async function compact(): Promise<void> {
    if (state === undefined || owner === undefined) return;
    const shown = [...state.shown.values()].flatMap((messages) => messages.slice(-KEPT_MESSAGES));
    const text = encodeLine({ kind: 'snapshot', userId: owner, disk: diskOf(state.image), shown });
    const fresh = await open(`${path}.new`, 'w', 0o600);
    await fresh.writeFile(text);
    await fresh.datasync();
    await rename(`${path}.new`, path);
    await syncFolder(dirname(path));
    await file?.close();
    file = fresh;
    size = Buffer.byteLength(text);
    compactAt = size + COMPACT_AFTER;
  }

  function unlock(): void {
    if (locked) rmSync(`${path}.lock`, { force: true });
    locked = false;
  }

  return {
    async load(userId) {
      mkdirSync(dirname(path), { recursive: true });
      lock(path);
      locked = true;
      try {
        owner = userId;
        await changeUser(path, userId);
        state = replay(path, userId);
        await compact();
        return diskOf(state.image);
      } catch (error) {
        unlock();
        throw error;
      }
    },
    commit(effects) {
      const current = state;
      if (current === undefined) throw new Error('load comes before commit');
      const text = encodeLine({ kind: 'commit', effects });
      for (const effect of effects) applyToState(current, effect);
      // One commit at a time; a failed one fails all that follow, because the log then has a hole.
      tail = tail.then(async () => {
        await append(text);
        if (size > compactAt) await compact();
      });
      return tail;
    },
    messages: (chatId) => state?.shown.get(chatId)?.slice(-KEPT_MESSAGES) ?? [],
    async close() {
      await tail.catch(() => undefined);
      await file?.close();
      file = undefined;
      unlock();
    },
  };
}

function encodeLine(line: Line): string {
  const json = JSON.stringify(line);
  return `${crc32(json).toString(16).padStart(8, '0')} ${json}\n`;
}

function decodeLine(text: string): Line | undefined {
  const json = text.slice(9);
  if (text.length < 10 || crc32(json).toString(16).padStart(8, '0') !== text.slice(0, 8)) return undefined;
  return JSON.parse(json) as Line;
}

/** Two renames, either of which may be the last: without a file, what its user has set aside is looked for. */
async function changeUser(path: string, userId: UserId): Promise<void> {
  const [first = ''] = readText(path).split('\n', 1);
  const line = decodeLine(first);
  const other = line?.kind === 'snapshot' && line.userId !== userId ? line.userId : undefined;
  if (other !== undefined) await rename(path, `${path}.${other}`);
  if (other === undefined && first !== '') return;
  await rename(`${path}.${userId}`, path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

function replay(path: string, userId: UserId): StoredState {
  let state = newStoredState(userId, emptyDisk(), []);
  for (const text of readText(path).split('\n')) {
    const line = decodeLine(text);
    if (line === undefined) break;
    if (line.kind === 'snapshot') state = newStoredState(userId, line.disk, line.shown);
    else for (const effect of line.effects) applyToState(state, effect);
  }
  return state;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function lock(path: string): void {
  const lockPath = `${path}.lock`;
  for (;;) {
    try {
      const handle = openSync(lockPath, 'wx', 0o600);
      writeSync(handle, JSON.stringify(ownLife()));
      closeSync(handle);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(lockPath);
    if (holder !== undefined && isRunning(holder)) throw new StorageInUseError(path, holder.pid);
    rmSync(lockPath, { force: true });
  }
}

/**
 * Who holds the lock, by number and start time: in a container every run has the number of the run before it.
 * @returns undefined for nobody. Earlier versions wrote the number alone; our own in there is that of such a run.
 */
function readHolder(lockPath: string): ProcessLife | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readText(lockPath));
  } catch {
    return undefined;
  }
  if (typeof value === 'number') return value === process.pid ? undefined : { pid: value };
  if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
    return undefined;
  const started = 'started' in value && typeof value.started === 'string' ? value.started : undefined;
  return { pid: value.pid, started };
}

/** Makes a rename durable. Windows cannot open folders, and does not need it. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
