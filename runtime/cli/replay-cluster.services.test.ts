import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { recordingPaths } from '../../sim/commands/recording-file.ts';
import { replayRecording } from '../../sim/commands/replay-recording.ts';
import { connectPairs } from '../e2e/pair-load.ts';
import { startTestCluster } from '../e2e/test-cluster.ts';

const folder = mkdtempSync(join(tmpdir(), 'parley-record-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('a cluster under load records what replays to the same effects, byte for byte', async () => {
  const cluster = await startTestCluster({ regions: 1, counts: { gateway: 2 }, record: folder });
  const pairs = await connectPairs(cluster.gateways, 20);
  await pairs.saturate(4, 8);
  await pairs.close();
  await cluster.stop();

  const replayed = recordingPaths(folder).map(replayRecording);
  for (const { machine, difference } of replayed) expect(difference, machine).toBeUndefined();
  const steps = replayed.reduce((sum, each) => sum + each.steps, 0);
  expect(new Set(replayed.map(({ machine }) => machine)).size).toBe(4);
  expect(steps).toBeGreaterThan(5_000);
});
