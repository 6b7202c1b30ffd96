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
  const { size } = await stat(path);
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
  const { content } = await client.downloadMedia(mediaId(id), chatId);
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
  } finally {
    await file.close();
  }
  return sizeText(content.length);
}

function sizeText(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  return bytes < 1_024 ** 2 ? `${(bytes / 1_024).toFixed(1)} KB` : `${(bytes / 1_024 ** 2).toFixed(1)} MB`;
}
