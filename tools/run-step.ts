import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { ROOT, type Step } from './check-steps.ts';

export interface StepResult {
  readonly step: Step;
  readonly passed: boolean;
  readonly seconds: number;
  readonly output: string;
}

/** A step that takes longer than this hangs: the whole check has 20 s. */
const STEP_TIMEOUT_MS = 120_000;

/** Runs a step in a folder shaped like the repository, with this process's own Node. */
export const runStep = (step: Step, folder: string): Promise<StepResult> =>
  new Promise((resolve, reject) => {
    const [script, ...args] = step.command;
    const startedMs = performance.now();
    const child = spawn(process.execPath, [join(ROOT, script), ...args], {
      cwd: folder,
      timeout: STEP_TIMEOUT_MS,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NO_COLOR: '1', NODE_NO_WARNINGS: '1' },
    });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal !== null) output += `\nended by ${signal} after ${STEP_TIMEOUT_MS / 1000} s`;
      resolve({ step, passed: code === 0, seconds: (performance.now() - startedMs) / 1000, output });
    });
  });
