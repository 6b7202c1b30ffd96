import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { recordingPaths } from '../../sim/commands/recording-file.ts';
import { replayRecording } from '../../sim/commands/replay-recording.ts';
import { createPopulation } from '../e2e/population.ts';
import { startServerProcess } from '../e2e/server-process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-record-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A server that records a few hundred messages, and is killed in the midst of them: the recording ends in half a line. */
async function record(): Promise<readonly string[]> {
  const record = join(folder, 'recording');
  const server = await startServerProcess({ dataDir: join(folder, 'data'), args: ['--record', record] });
  const population = await createPopulation({
    url: server.url,
    users: 6,
    devicesPerUser: 2,
    groups: 1,
    groupSize: 5,
    seed: 3,
  });
  for (let i = 0; i < 300; i++) population.act();
  await population.settled(20_000);
  for (let i = 0; i < 100; i++) population.act();
  await server.end('SIGKILL');
  await population.stop();
  return recordingPaths(record);
}

test('what the machines were told gives the same effects again, byte for byte', async () => {
  const paths = await record();
  const replayed = paths.map(replayRecording);
  expect(replayed.map(({ machine }) => machine).sort()).toEqual([
    'delivery-worker',
    'gateway',
    'message-service',
    'outbox-relay',
  ]);
  for (const { difference } of replayed) expect(difference).toBeUndefined();
  expect(replayed.reduce((sum, { steps }) => sum + steps, 0)).toBeGreaterThan(2_000);

  // A core that answers otherwise is noticed, and the step is named: here one that knows another limit.
  const gateway = paths.find((path) => path.includes('gateway')) as string;
  const text = readFileSync(gateway, 'utf8');
  const window = text.replace(/"inFlightMessages":\d+/, '"inFlightMessages":1');
  expect(window).not.toBe(text);
  writeFileSync(gateway, window);
  const { difference } = replayRecording(gateway);
  expect(difference?.step).toBeGreaterThan(0);
  expect(difference?.exact).toBe(true);
});
