import { fork } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Mutant } from '../mutants/mutant.ts';
import type { Hunt, HuntReport } from './mutant-hunter.ts';
import { MUTANT_VARIABLE } from './mutant-variable.ts';
import { failsWithoutMutant, type PlainFailure } from './plain-core.ts';

export type HuntResult =
  | { readonly outcome: 'killed'; readonly report: HuntReport & { readonly killed: object } }
  | { readonly outcome: 'survived'; readonly report: HuntReport }
  /** The core fails there without the mutant too: no kill, and a defect to be mended first. */
  | { readonly outcome: 'plain-red'; readonly report: HuntReport; readonly plain: PlainFailure }
  /** It ran longer than it may: counts as a survivor, since nothing was found. */
  | { readonly outcome: 'timeout' }
  /** The process did not start: the mutant has rotted, or is no program any more. */
  | { readonly outcome: 'broken'; readonly message: string };

/** Hunts one mutant in a process of its own. @param check whether the core fails without it: another one only in a test. */
export function huntMutant(
  mutant: Pick<Mutant, 'name'>,
  order: Hunt,
  timeoutSeconds: number,
  check: typeof failsWithoutMutant = failsWithoutMutant,
): Promise<HuntResult> {
  const hooks = pathToFileURL(join(import.meta.dirname, 'mutant-hooks.ts')).href;
  const child = fork(join(import.meta.dirname, 'mutant-hunter.ts'), {
    execArgv: ['--import', hooks, '--disable-warning=ExperimentalWarning'],
    env: { ...process.env, [MUTANT_VARIABLE]: mutant.name },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve) => {
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const timer = setTimeout(() => finish({ outcome: 'timeout' }), timeoutSeconds * 1_000);
    const finish = (result: HuntResult): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.kill('SIGKILL');
      resolve(result);
    };
    child.once('exit', () => finish({ outcome: 'broken', message: reason(errors) }));
    child.once('message', (message) => {
      const report = message as HuntReport;
      const { killed } = report;
      if (killed === undefined) {
        finish({ outcome: 'survived', report });
        return;
      }
      const plain = check(killed);
      if (plain === undefined) finish({ outcome: 'killed', report: { ...report, killed } });
      else finish({ outcome: 'plain-red', report, plain });
    });
    child.send(order);
  });
}

/** The line of Node's message that says what was thrown. */
function reason(errors: string): string {
  const lines = errors.split('\n');
  return (
    lines.find((line) => /^\w*(Error|Mutant)\b/.test(line)) ??
    lines.find((line) => line.trim() !== '') ??
    'it ended'
  );
}
