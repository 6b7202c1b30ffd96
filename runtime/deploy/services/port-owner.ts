import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { commandOf } from '../../adapters/embedded-postgres/process-identity.ts';

/** State of a listening socket in /proc/net/tcp (proc_net_tcp(5)). */
const LISTEN = '0A';
const SHOWN = 80;

/**
 * @returns which process listens on a port of this machine, in words; undefined where the kernel does not tell (other
 * systems, other users' processes).
 */
export function portOwner(port: number): string | undefined {
  const sockets = new Set(listeningInodes(port).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  const pid = entriesOf('/proc').find(
    (name) =>
      /^\d+$/.test(name) && entriesOf(`/proc/${name}/fd`).some((fd) => sockets.has(linkOf(name, fd) ?? '')),
  );
  if (pid === undefined) return undefined;
  return `process ${pid} (${(commandOf(Number(pid)) ?? '').trim().slice(0, SHOWN)})`;
}

function listeningInodes(port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => {
    try {
      return readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[1]?.endsWith(wanted) === true && fields[3] === LISTEN)
        .map((fields) => fields[9] ?? '');
    } catch {
      return [];
    }
  });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOf(pid: string, fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return undefined;
  }
}
