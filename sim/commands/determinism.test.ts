import { fork } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Chunk, type ChunkReport, runChunk } from './campaign-work.ts';

const CHUNK: Chunk = { from: 1_000, count: 24, twice: true, hashes: true, stopAtFailure: false };

/** The same chunk in a process of its own. */
function inAnotherProcess(chunk: Chunk): Promise<ChunkReport> {
  const child = fork(join(import.meta.dirname, 'campaign-worker.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
    child.once('message', (report) => {
      child.removeAllListeners();
      child.disconnect();
      resolve(report as ChunkReport);
    });
    child.send(chunk);
  });
}

describe('a run', { timeout: 60_000 }, () => {
  it('is the same event for event a second time, and in another process', async () => {
    const here = runChunk(CHUNK);
    expect(here.different).toEqual([]);
    expect(new Set(here.hashes).size).toBe(CHUNK.count);
    const there = await inAnotherProcess(CHUNK);
    expect(there.hashes).toEqual(here.hashes);
    expect(there.probes).toEqual(here.probes);
  });
});
