import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPopulation } from './population.ts';
import { startServerProcess, type ServerProcess } from './server-process.ts';
import { readStoreTruth } from './store-truth.ts';
import { judge } from './verdict.ts';
import { createWitness } from './witness.ts';

/**
 * The server is killed in the middle of traffic, again and again, and started on what it left. Users go on writing
 * throughout. Nothing that was acknowledged may be lost, nothing shown twice, every order kept.
 */

const KILLS = 20;
const USERS = 16;
const RATE_PER_S = 150;

let dataDir: string;
let server: ServerProcess | undefined;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-kill-'));
});
afterEach(async () => {
  await server?.end('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

/** The postmaster of the data folder: outlives a server that is killed. */
const postmaster = (): number =>
  Number(readFileSync(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);

test.each([
  ['websocket', KILLS],
  ['poll', KILLS / 2],
] as const)(
  'over %s: kill -9 of the server %i times in a row, every other time with its PostgreSQL',
  async (transport, kills) => {
    server = await startServerProcess({ dataDir });
    const { url, port } = server;
    const witness = createWitness();
    const population = await createPopulation({
      url,
      users: USERS,
      devicesPerUser: 2,
      groups: 3,
      groupSize: 8,
      seed: 11,
      device: { witness, transport },
    });
    const traffic = keepTalking(() => population.act());
    let ackedBefore = 0;
    for (let kill = 0; kill < kills; kill++) {
      // Each life of the server must have done something, or the kill would prove nothing.
      ackedBefore = await untilAcked(witness.sightings, ackedBefore + 20);
      await sleep(40 + 25 * (kill % 7));
      const orphan = postmaster();
      await server.end('SIGKILL');
      if (kill % 2 === 1) process.kill(orphan, 'SIGKILL');
      server = await startServerProcess({ dataDir, port });
    }
    await untilAcked(witness.sightings, ackedBefore + 20);
    traffic.stop();
    expect(
      await population.settled(30_000),
      `everybody has everything; the server says ${server.log()}`,
    ).toBe(true);
    const sightings = witness.sightings.slice();
    await population.stop();
    expect(await server.end('SIGTERM')).toMatchObject({ code: 0 });

    const verdict = judge(
      sightings,
      await readStoreTruth(dataDir, population.chats),
      population.devices.map(({ deviceId }) => deviceId),
    );
    expect(verdict.violation, verdict.stuck.join('; ')).toBeUndefined();
    expect(population.sent).toBeGreaterThan(kills * 20);
  },
  170_000,
);

function keepTalking(act: () => void): { stop(): void } {
  const timer = setInterval(act, 1_000 / RATE_PER_S);
  return { stop: () => clearInterval(timer) };
}

/** Waits until this many sends have been acknowledged in all. @returns how many have. */
async function untilAcked(
  sightings: readonly { readonly observation: { readonly kind: string } }[],
  count: number,
): Promise<number> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const acked = sightings.filter(({ observation }) => observation.kind === 'acked').length;
    if (acked >= count) return acked;
    if (performance.now() > deadline) throw new Error(`only ${acked} of ${count} sends were acknowledged`);
    await sleep(20);
  }
}
