import { chmodSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createPopulation } from './population.ts';
import { connectRaw } from './raw-device.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { readStoreTruth } from './store-truth.ts';
import { judge } from './verdict.ts';
import { createWitness } from './witness.ts';

/** How a server starts and stops: what it says, what it leaves behind, and with which exit code. */

let dataDir: string;
const servers: ServerProcess[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-drain-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.end('SIGKILL')));
  rmSync(dataDir, { recursive: true, force: true });
});

async function start(port = 0, folder = dataDir): Promise<ServerProcess> {
  const server = await startServerProcess({ dataDir: folder, port });
  servers.push(server);
  return server;
}

test('SIGTERM sends everybody away with GOAWAY, loses nothing, and ends with 0', async () => {
  const server = await start();
  const witness = createWitness();
  const population = await createPopulation({
    url: server.url,
    users: 12,
    devicesPerUser: 1,
    groups: 2,
    groupSize: 6,
    seed: 5,
    device: { witness },
  });
  const raw = await connectRaw({ url: server.url, user: 'u_900', device: 'watcher' });
  const traffic = setInterval(() => population.act(), 5);
  await sleep(1_000);
  const stopping = performance.now();
  const ended = server.end('SIGTERM');
  expect(await raw.next(({ frame }) => frame === 'GOAWAY')).toMatchObject({ reason: 'drain' });
  expect(await ended).toMatchObject({ code: 0 });
  expect(performance.now() - stopping).toBeLessThan(12_000);
  expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);

  const second = await start(server.port);
  await sleep(300);
  clearInterval(traffic);
  expect(await population.settled(20_000)).toBe(true);
  const sightings = witness.sightings.slice();
  await population.stop();
  await second.end('SIGTERM');
  const verdict = judge(
    sightings,
    await readStoreTruth(dataDir, population.chats),
    population.devices.map(({ deviceId }) => deviceId),
  );
  expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
  expect(population.sent).toBeGreaterThan(100);
}, 60_000);

describe('a second server', () => {
  test('on the same port is told so, with exit code 3, and leaves nothing running', async () => {
    const first = await start();
    const other = mkdtempSync(join(tmpdir(), 'parley-drain-'));
    try {
      await expect(startServerProcess({ dataDir: other, port: first.port })).rejects.toThrow(
        /ended with 3 .*port \d+ .* in use/s,
      );
      expect(existsSync(join(other, 'postgres'))).toBe(false);
    } finally {
      rmSync(other, { recursive: true, force: true });
    }
  }, 30_000);

  test('on the same data folder is told so, with exit code 4, and does not disturb the first', async () => {
    const first = await start();
    await expect(startServerProcess({ dataDir })).rejects.toThrow(/ended with 4 .*in use by another server/s);
    expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  }, 30_000);
});

test('a secret that others can read is refused', async () => {
  const first = await start();
  await first.end('SIGTERM');
  const secret = join(dataDir, 'development-secret');
  expect(statSync(secret).mode & 0o777).toBe(0o600);
  chmodSync(secret, 0o644);
  await expect(startServerProcess({ dataDir })).rejects.toThrow(/chmod 600/);
}, 30_000);
