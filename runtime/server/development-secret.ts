import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from './start-error.ts';

const SECRET_BYTES = 32;

/**
 * The secret that signs development tokens: random, made when it is missing, readable by its owner alone. Processes that
 * make it at the same time end up with the same one.
 * @throws StartError when the file exists and is readable by others, or is not what this function writes, or its folder can
 * never be made.
 */
export function developmentSecret(path: string): Uint8Array {
  makeFolder(dirname(path));
  if (!existsSync(path)) makeSecret(path);
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

/** Not by `recursive`: where a folder is there and takes no other (/proc), Node asks for the two in turn, for ever. */
function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o711 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT')
      throw new StartError('data-unusable', `${path} cannot be made: nobody can make folders there`);
    // Another process was faster.
    if (code !== 'EEXIST') throw error;
  }
}

/** Complete before it has its name, so that nobody reads half of it. */
function makeSecret(path: string): void {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, randomBytes(SECRET_BYTES).toString('hex'), { mode: 0o600 });
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}
