import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { MediaId } from '../../../core/contract/ids.ts';
import type { MediaObject } from '../../ports/media-store.ts';

/** An upload that is not what its URL allows. */
export class WrongContentError extends Error {
  override readonly name = 'WrongContentError';
}

/**
 * Objects as files. A file has its name only once its content is whole, checked and on the disk, so whatever is found is
 * right; what a crash leaves behind lies in another folder and is removed when it is old.
 */
export interface MediaFiles {
  /**
   * Writes the content while it arrives. @returns when it will survive a crash.
   * @throws WrongContentError when it is longer, shorter or other than the object.
   */
  write(object: MediaObject, content: AsyncIterable<Buffer>): Promise<void>;
  /** Opens an object for reading; the caller closes it. Undefined when nothing was uploaded. */
  open(mediaId: MediaId): Promise<FileHandle | undefined>;
}

/** An upload under way is not older than its URL was good for; this is far more. */
const ABANDONED_MS = 24 * 3600 * 1_000;

/** @param folder is made when missing, readable by its owner alone. */
export function createMediaFiles(folder: string): MediaFiles {
  const incoming = join(folder, 'incoming');
  mkdirSync(incoming, { recursive: true, mode: 0o700 });
  removeAbandoned(incoming);

  /** Made of a hash: nothing that anybody wrote becomes part of a path. */
  function placeOf(mediaId: MediaId): { readonly folder: string; readonly file: string } {
    const name = createHash('sha256').update(mediaId).digest('hex');
    const shelf = join(folder, 'objects', name.slice(0, 2));
    return { folder: shelf, file: join(shelf, name.slice(2)) };
  }

  return {
    async write(object, content) {
      const place = placeOf(object.mediaId);
      const draft = join(incoming, randomUUID());
      const file = await open(draft, 'wx', 0o600);
      try {
        for await (const chunk of checked(object, content)) await writeAll(file, chunk);
        await file.sync();
        await file.close();
        mkdirSync(place.folder, { recursive: true, mode: 0o700 });
        await rename(draft, place.file);
        await syncFolder(place.folder);
      } catch (error) {
        await file.close().catch(() => undefined);
        await rm(draft, { force: true });
        throw error;
      }
    },
    async open(mediaId) {
      try {
        return await open(placeOf(mediaId).file, 'r');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

/** Lets an object's content pass, and nothing else: the last byte of another one never does. */
async function* checked(
  { size, sha256 }: MediaObject,
  content: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  const hash = createHash('sha256');
  let seen = 0;
  for await (const chunk of content) {
    seen += chunk.length;
    if (seen > size) throw new WrongContentError(`size: the content has more than ${size} bytes`);
    hash.update(chunk);
    yield chunk;
  }
  if (seen < size) throw new WrongContentError(`size: the content has ${seen} bytes, not ${size}`);
  if (hash.digest('hex') !== sha256) throw new WrongContentError('sha256: the content has another hash');
}

/** One write may take less than it was given (write(2)). */
async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let done = 0; done < chunk.length; ) done += (await file.write(chunk, done)).bytesWritten;
}

/** A new name is durable with its folder (fsync(2)). */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function removeAbandoned(incoming: string): void {
  for (const name of readdirSync(incoming)) {
    const path = join(incoming, name);
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > ABANDONED_MS) rmSync(path, { force: true });
  }
}
