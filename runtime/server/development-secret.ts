import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

const SECRET_BYTES = 32;

/**
 * The secret that signs development tokens: random, one a data folder, readable by its owner alone.
 * @throws StartError when the file exists and is readable by others, or is not what this function writes.
 */
export function developmentSecret(dataDir: string): Uint8Array {
  mkdirSync(dataDir, { recursive: true, mode: 0o711 });
  const path = join(dataDir, 'development-secret');
  try {
    writeFileSync(path, randomBytes(SECRET_BYTES).toString('hex'), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  // Windows has no such bits; there the folder's own rights decide.
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) {
    throw new StartError(
      'data-unusable',
      `${path} can be read by others, so anybody could sign tokens`,
      `chmod 600 ${path}`,
    );
  }
  const text = readFileSync(path, 'utf8').trim();
  if (!/^[0-9a-f]{64,}$/.test(text)) {
    throw new StartError(
      'data-unusable',
      `${path} is not a secret of at least ${SECRET_BYTES} bytes in hex`,
      `rm ${path}`,
    );
  }
  return Buffer.from(text, 'hex');
}
