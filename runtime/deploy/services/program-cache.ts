import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withFolderLock } from './folder-lock.ts';

/** Where programs that the project installs are kept, outside the tree: nothing here is data. */
export function programCache(): string {
  return (
    process.env['PARLEY_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'parley')
  );
}

/**
 * A program of one version, installed once, however many ask for it at the same time. It is put together in a folder beside
 * and renamed, so that an installation that was cut short is begun again.
 * @param name with its version: `kafka-4.2.1`.
 * @param install fills the folder it is given.
 * @returns the folder.
 */
export async function installOnce(name: string, install: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(programCache(), name);
  if (isInstalled(name)) return folder;
  return withFolderLock({ folder: join(programCache(), 'locks', name) }, async () => {
    if (isInstalled(name)) return folder;
    const making = `${folder}.making`;
    for (const old of [making, folder]) rmSync(old, { recursive: true, force: true });
    mkdirSync(making, { recursive: true });
    try {
      await install(making);
      writeFileSync(join(making, COMPLETE), '');
      renameSync(making, folder);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
    return folder;
  });
}

export function isInstalled(name: string): boolean {
  return existsSync(join(programCache(), name, COMPLETE));
}

const COMPLETE = '.complete';
