import { chownSync, lchownSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * PostgreSQL refuses to run as root. Started by root, it runs under a user id of its own that needs no entry in
 * /etc/passwd, so that nothing has to be created on the machine and no other service shares its files.
 */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** In the range that Debian reserves for packages (60000-64999) and assigns to none. */
const DEDICATED: RunAs = { uid: 64_310, gid: 64_310 };

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * The user to run a cluster under: its owner; for a new one, or one that root owns, a user named `parley` if there is
 * one, else the dedicated id.
 * @returns undefined when the process is not root: then everything runs under its own user.
 */
export function clusterUser(clusterDir: string | undefined): RunAs | undefined {
  if (!isRoot()) return undefined;
  if (clusterDir !== undefined) {
    const { uid, gid } = statSync(clusterDir);
    if (uid !== 0) return { uid, gid };
  }
  return namedUser('parley') ?? DEDICATED;
}

/** initdb, unlike postgres, wants a user that has a name. The files are handed to the cluster's user afterwards. */
export function initUser(): RunAs | undefined {
  if (!isRoot()) return undefined;
  const user = namedUser('parley') ?? namedUser('nobody') ?? namedUser('daemon');
  if (user === undefined) {
    throw new Error(
      'PostgreSQL cannot be set up by root here: /etc/passwd has no user nobody. Next: start as another user',
    );
  }
  return user;
}

function namedUser(name: string): RunAs | undefined {
  let passwd: string;
  try {
    passwd = readFileSync('/etc/passwd', 'utf8');
  } catch {
    return undefined;
  }
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name && Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

/** Hands a folder with everything in it to a user. Links are changed themselves, not followed. */
export function giveTo(dir: string, user: RunAs): void {
  chownSync(dir, user.uid, user.gid);
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) giveTo(path, user);
    else lchownSync(path, user.uid, user.gid);
  }
}

/** @returns whether a user may step through every folder above `path`, and into `path` itself when it is one. */
export function canReach(path: string, user: RunAs): boolean {
  for (let dir = resolve(path); ; dir = dirname(dir)) {
    const stat = statSync(dir);
    if (stat.isDirectory()) {
      const shift = stat.uid === user.uid ? 6 : stat.gid === user.gid ? 3 : 0;
      if (((stat.mode >> shift) & 1) === 0) return false;
    }
    if (dir === dirname(dir)) return true;
  }
}
