import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where programs that the project installs are kept, outside the tree: nothing here is data. */
export function programCache(): string {
  return (
    process.env['PARLEY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'parley')
  );
}

/**
 * A program of one version, installed once. It is put together in a folder beside and renamed, so that an installation that
 * was interrupted is begun again.
 * @param name with its version: `kafka-4.2.1`.
 * @param install fills the folder it is given.
 * @returns the folder.
 */
export async function installOnce(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(programCache(), name);
  if (isInstalled(name)) return folder;
  const making = `${folder}.making-${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  try {
    await install(making);
    rmSync(folder, { recursive: true, force: true });
    renameSync(making, folder);
    writeFileSync(join(folder, COMPLETE), '');
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
  return folder;
}

export function isInstalled(name: string): boolean {
  return existsSync(join(programCache(), name, COMPLETE));
}

const COMPLETE = '.complete';
