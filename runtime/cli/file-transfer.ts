import { open, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { mediaId, type ChatId, type MediaId } from '../../core/contract/ids.ts';
import type { ParleyClient } from '../client/parley-client.ts';

/** Larger files would fill this process's memory; the server takes no more either, unless it is told to. */
const MOST_BYTES = 256 * 1024 * 1024;

export interface UploadedFile {
  readonly mediaId: MediaId;
  /** What the message says, for those who see it. */
  readonly text: string;
}

/** Uploads a file, to be named in a message. @throws Error that says what is wrong, for people. */
export async function uploadFile(client: ParleyClient, path: string): Promise<UploadedFile> {
  if (path === '') throw new Error('/send-file takes the path of a file');
  const found = await stat(path).catch((error: unknown) =>
    reword(error, 'ENOENT', `${path}: there is no such file`),
  );
  if (!found.isFile()) throw new Error(`${path}: is not a file`);
  const { size } = found;
  if (size > MOST_BYTES) throw new Error(`${path} is larger than ${sizeText(MOST_BYTES)}`);
  const content = new Uint8Array(await readFile(path));
  const id = await client.uploadMedia(content);
  return { mediaId: id, text: `[file ${basename(path)}, ${sizeText(size)}, ${id}]` };
}

/** Downloads what a message of the chat names into a file that does not exist yet. @returns its size in words. */
export async function saveFile(
  client: ParleyClient,
  chatId: ChatId,
  id: string,
  path: string,
): Promise<string> {
  if (id === '' || path === '') throw new Error('/save takes an id and a path: /save x_12 photo.jpg');
  const { content } = await client.downloadMedia(mediaId(id), chatId);
  const taken = `${path}: there is a file of this name; give another`;
  const file = await open(path, 'wx').catch((error: unknown) => reword(error, 'EEXIST', taken));
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  return sizeText(content.length);
}

/** @throws Error with the words, when it is that error; what it is otherwise. */
function reword(error: unknown, code: string, words: string): never {
  throw (error as NodeJS.ErrnoException).code === code ? new Error(words, { cause: error }) : error;
}

function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_024 ** 2 ? `${(bytes / 1_024).toFixed(1)} KB` : `${(bytes / 1_024 ** 2).toFixed(1)} MB`;
}
