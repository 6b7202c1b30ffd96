import { fork } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scenario } from '../scenario.ts';
import type { MutantReplay } from './mutant-replayer.ts';
import { MUTANT_VARIABLE } from './mutant-variable.ts';

/**
 * Runs scenarios with a planted bug, in a process of its own.
 * @param mutant its name, of sim/mutants/.
 * @returns what became of each. @throws Error when the process ends instead: the mutant has rotted, or does not exist.
 */
export function replayMutant(
  mutant: string,
  scenarios: readonly Scenario[],
): Promise<readonly MutantReplay[]> {
  const hooks = pathToFileURL(join(import.meta.dirname, 'mutant-hooks.ts')).href;
  const child = fork(join(import.meta.dirname, 'mutant-replayer.ts'), {
    execArgv: ['--import', hooks, '--disable-warning=ExperimentalWarning'],
    env: { ...process.env, [MUTANT_VARIABLE]: mutant },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve, reject) => {
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    child.once('exit', () => reject(new Error(`mutant ${mutant} does not load:\n${errors}`)));
    child.once('message', (replays) => {
      child.removeAllListeners();
      child.kill('SIGKILL');
      resolve(replays as readonly MutantReplay[]);
    });
    child.send(scenarios);
  });
}
