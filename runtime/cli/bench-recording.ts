import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { recordingPaths } from '../../sim/commands/recording-file.ts';
import { recordedSpan, replayRecording } from '../../sim/commands/replay-recording.ts';
import { connectPairs } from '../e2e/pair-load.ts';
import { startServerProcess } from '../e2e/server-process.ts';
import { cpuSeconds } from './role-cpu.ts';

export interface RecordingCost {
  /** With recording, as a share of what it is without. */
  readonly sendsRatio: number;
  /** Processor time of the server for a message, likewise. */
  readonly cpuRatio: number;
  /** Sends a second without. */
  readonly plainPerSecond: number;
}

export interface ReplaySpeed {
  readonly recordedSeconds: number;
  readonly timesRealTime: number;
  readonly stepsPerSecond: number;
  readonly steps: number;
  /** Machines whose effects were others than recorded: it must be none. */
  readonly differing: number;
}

const ROUNDS = 3;
const PAIRS = 50;
const WINDOW = 8;
const WARM_UP_SECONDS = 2;

/**
 * The same load on two servers, one of which records, in turns: what else happens on the machine meets both.
 * @param seconds of each of the turns.
 */
export function measureRecording(seconds: number): Promise<RecordingCost> {
  return inFolder(async (folder) => {
    const record = join(folder, 'recording');
    const plain = await startTurns(join(folder, 'plain'), []);
    const recording = await startTurns(join(folder, 'recorded'), ['--record', record]);
    for (let round = 0; round < ROUNDS; round++) {
      await plain.turn(seconds);
      await recording.turn(seconds);
    }
    const [without, recorded] = [await plain.end(), await recording.end()];
    return {
      sendsRatio: recorded.perSecond / without.perSecond,
      cpuRatio: recorded.cpuPerMessage / without.cpuPerMessage,
      plainPerSecond: without.perSecond,
    };
  });
}

/** @param perSecond messages a second, of a server that is recorded for so many seconds and replayed as fast as it goes. */
export function measureReplay(seconds: number, perSecond: number): Promise<ReplaySpeed> {
  return inFolder(async (folder) => {
    const record = join(folder, 'recording');
    const server = await startServerProcess({ dataDir: join(folder, 'data'), args: ['--record', record] });
    const pairs = await connectPairs([server.url], PAIRS);
    await pairs.pace(seconds, perSecond);
    await pairs.close();
    await server.end('SIGTERM');
    const began = performance.now();
    const replayed = recordingPaths(record).map(replayRecording);
    const replaySeconds = (performance.now() - began) / 1_000;
    const steps = replayed.reduce((sum, each) => sum + each.steps, 0);
    const recordedSeconds = recordedSpan(replayed) / 1e6;
    return {
      recordedSeconds,
      timesRealTime: recordedSeconds / replaySeconds,
      stepsPerSecond: steps / replaySeconds,
      steps,
      differing: replayed.filter(({ difference }) => difference !== undefined).length,
    };
  });
}

interface Turns {
  turn(seconds: number): Promise<void>;
  /** Ends the server. */
  end(): Promise<{ readonly perSecond: number; readonly cpuPerMessage: number }>;
}

async function startTurns(dataDir: string, args: readonly string[]): Promise<Turns> {
  const server = await startServerProcess({ dataDir, args });
  const pairs = await connectPairs([server.url], PAIRS);
  const cpu = async (): Promise<number> =>
    (await cpuSeconds([{ role: 'all', url: server.url }])).get('all') ?? Number.NaN;
  await pairs.saturate(WARM_UP_SECONDS, WINDOW);
  let [messages, seconds, used] = [0, 0, 0];
  return {
    async turn(each) {
      const before = await cpu();
      const { ackedPerSecond } = await pairs.saturate(each, WINDOW);
      used += (await cpu()) - before;
      messages += ackedPerSecond * each;
      seconds += each;
    },
    async end() {
      await pairs.close();
      await server.end('SIGTERM');
      return { perSecond: messages / seconds, cpuPerMessage: used / messages };
    },
  };
}

async function inFolder<Result>(run: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  try {
    return await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
