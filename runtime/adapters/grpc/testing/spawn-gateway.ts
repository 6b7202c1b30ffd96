import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LinkFiles } from '../link-security.ts';

export interface SpawnedGateway {
  readonly child: ChildProcess;
  readonly address: string;
  /** SIGKILL; settles when the process is gone. */
  kill(): Promise<void>;
}

/** Starts `link-process.ts`. @throws Error when it ends before it listens. */
export async function spawnGateway(id: string, files: LinkFiles): Promise<SpawnedGateway> {
  const script = fileURLToPath(new URL('link-process.ts', import.meta.url));
  const { authority, certificate, key } = files;
  const child = spawn(process.execPath, [script, id, JSON.stringify({ authority, certificate, key })], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const address = await Promise.race([
    once(lines, 'line').then(([line]) => line as string),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`${id} ended with ${String(code)}`))),
  ]);
  return {
    child,
    address,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
