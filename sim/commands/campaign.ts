import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Verdict } from '../run-result.ts';
import { type Chunk, type ChunkReport, type Different, type Found, seedAt } from './campaign-work.ts';

export interface CampaignOptions {
  readonly from: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly twice: boolean;
  readonly untilFailure: boolean;
  /** Wall time after which no new chunk is started; undefined: until all seeds have run. */
  readonly budgetSeconds: number | undefined;
  onProgress?(totals: Totals): void;
}

/** Sums over all chunks so far. */
export interface Totals {
  seeds: number;
  /** More than seeds where each runs twice. */
  runs: number;
  events: number;
  simulatedMicros: number;
  timed: number;
  slow: number;
  seconds: number;
  readonly verdicts: Record<Verdict, number>;
  readonly found: Found[];
  readonly different: Different[];
  /** Seeds that two processes ran differently. */
  readonly differentBetween: number[];
  /** Seeds that reached each probe. */
  readonly probes: Map<string, number>;
}

/** Seeds a worker is given at a time: a fraction of a second's worth, so that progress shows and all end together. */
const CHUNK = 64;
/** Seeds that every process runs, to compare their hashes: what differs between processes differs between machines. */
const SHARED = 32;

export function newTotals(): Totals {
  return {
    seeds: 0,
    runs: 0,
    events: 0,
    simulatedMicros: 0,
    timed: 0,
    slow: 0,
    seconds: 0,
    verdicts: { pass: 0, safety: 0, liveness: 0, crash: 0, budget: 0 },
    found: [],
    different: [],
    differentBetween: [],
    probes: new Map(),
  };
}

function add(totals: Totals, report: ChunkReport): void {
  totals.seeds += report.seeds;
  totals.runs += report.runs;
  totals.events += report.events;
  totals.simulatedMicros += report.simulatedMicros;
  totals.timed += report.timed;
  totals.slow += report.slow;
  totals.found.push(...report.found);
  totals.different.push(...report.different);
  for (const [verdict, count] of Object.entries(report.verdicts))
    totals.verdicts[verdict as Verdict] += count;
  for (const [name, count] of Object.entries(report.probes)) {
    totals.probes.set(name, (totals.probes.get(name) ?? 0) + count);
  }
}

/** Runs the seeds in `jobs` processes. @throws when a process of it dies. */
export async function runCampaign(options: CampaignOptions): Promise<Totals> {
  const totals = newTotals();
  const started = performance.now();
  const workers = Array.from({ length: options.jobs }, () => new Worker());
  const seconds = (): number => (performance.now() - started) / 1_000;
  const finished = (report: ChunkReport): void => {
    add(totals, report);
    totals.seconds = seconds();
    options.onProgress?.(totals);
  };
  try {
    let next = 0;
    if (options.jobs > 1) next = await compareProcesses(workers, options, totals, finished);
    const mayGoOn = (): boolean =>
      next < options.seeds &&
      !(options.untilFailure && totals.found.length + totals.different.length > 0) &&
      (options.budgetSeconds === undefined || seconds() < options.budgetSeconds);
    const work = async (worker: Worker): Promise<void> => {
      while (mayGoOn()) {
        const count = Math.min(CHUNK, options.seeds - next);
        const from = seedAt(options.from, next);
        next += count;
        finished(await worker.run(chunkOf(options, from, count, false)));
      }
    };
    await Promise.all(workers.map(work));
  } finally {
    for (const worker of workers) worker.end();
  }
  totals.seconds = seconds();
  return totals;
}

function chunkOf(options: CampaignOptions, from: number, count: number, hashes: boolean): Chunk {
  return { from, count, twice: options.twice, hashes, stopAtFailure: options.untilFailure && !hashes };
}

/** The first seeds run in every process; only the first report counts. @returns how many seeds that were. */
async function compareProcesses(
  workers: readonly Worker[],
  options: CampaignOptions,
  totals: Totals,
  finished: (report: ChunkReport) => void,
): Promise<number> {
  const count = Math.min(SHARED, options.seeds);
  const chunk = chunkOf(options, options.from, count, true);
  const [first, ...others] = await Promise.all(workers.map((worker) => worker.run(chunk)));
  if (first === undefined) return 0;
  for (const other of others) {
    first.hashes.forEach((hash, i) => {
      if (other.hashes[i] !== hash) totals.differentBetween.push(seedAt(options.from, i));
    });
  }
  finished(first);
  return count;
}

/** A child process that runs one chunk at a time. */
class Worker {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = fork(join(import.meta.dirname, 'campaign-worker.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /** @throws when the process ends instead of answering. */
  run(chunk: Chunk): Promise<ChunkReport> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null): void => {
        this.#process.off('message', onMessage);
        reject(
          new Error(
            `a worker ended with ${signal ?? `code ${code}`} in seeds ${chunk.from} to ${chunk.from + chunk.count - 1}`,
          ),
        );
      };
      const onMessage = (report: unknown): void => {
        this.#process.off('exit', onExit);
        resolve(report as ChunkReport);
      };
      this.#process.once('exit', onExit);
      this.#process.once('message', onMessage);
      this.#process.send(chunk);
    });
  }

  end(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}
