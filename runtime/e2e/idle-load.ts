import { setTimeout as sleep } from 'node:timers/promises';
import { connectLoadDevice, type LoadDevice } from './load-device.ts';

/** User ids of idle connections start here. */
const FIRST_USER = 2_000_000;
const LANES = 16;
/** How long a server may take to give back what connecting cost. */
const SETTLE_MS = 2_000;

export interface IdleLoad {
  readonly connections: number;
  /** Resident memory of the servers for each connection, bytes. */
  readonly bytesPerConnection: number;
  /** Connections opened per second. */
  readonly perSecond: number;
  close(): Promise<void>;
}

export interface IdleLoadOptions {
  /** Connections are dealt to them in turn. */
  readonly urls: readonly string[];
  readonly connections: number;
  readonly onProgress?: (open: number) => void;
}

/** Opens connections that do nothing but live. */
export async function openIdle({ urls, connections, onProgress }: IdleLoadOptions): Promise<IdleLoad> {
  const before = await residentBytes(urls);
  const devices: LoadDevice[] = [];
  const began = performance.now();
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    for (let i = lane; i < connections; i += LANES) {
      const user = FIRST_USER + i;
      devices.push(await connectLoadDevice({ url: urls[i % urls.length] as string, user, device: user }));
      onProgress?.(devices.length);
    }
  });
  await Promise.all(lanes);
  const perSecond = (connections * 1_000) / (performance.now() - began);
  await sleep(SETTLE_MS);
  const after = await residentBytes(urls);
  return {
    connections,
    bytesPerConnection: (after - before) / connections,
    perSecond,
    async close() {
      await Promise.all(devices.map((device) => device.close()));
    },
  };
}

async function residentBytes(urls: readonly string[]): Promise<number> {
  const texts = await Promise.all(urls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts
    .map((text) => Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]))
    .reduce((sum, bytes) => sum + bytes, 0);
}
