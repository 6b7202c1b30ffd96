import { join } from 'node:path';
import type { Limits } from '../../core/contract/limits.ts';
import { createFilesystemMediaStore } from '../adapters/filesystem/media-store-filesystem.ts';
import type { MediaStore } from '../ports/media-store.ts';
import { developmentSecret } from './development-secret.ts';

/**
 * Media in a folder, with the secret that signs their URLs beside them: every process that shares the one has the other.
 * @throws StartError when others can read the secret.
 */
export function openMediaFolder(folder: string, limits: Limits): MediaStore {
  return createFilesystemMediaStore({
    folder,
    secret: developmentSecret(join(folder, 'url-secret')),
    urlLifetime: limits.mediaUrlLifetime,
  });
}
