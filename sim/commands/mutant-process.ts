import { fork } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MUTANT_VARIABLE } from './mutant-variable.ts';

export type MutantAnswer<Answer> =
  | { readonly outcome: 'answered'; readonly answer: Answer }
  /** It took longer than it may, and was ended. */
  | { readonly outcome: 'timeout' }
  /** The process did not start: the mutant has rotted, does not exist, or is no program any more. */
  | { readonly outcome: 'broken'; readonly message: string };

/**
 * Asks a process of its own, whose core has a mutant planted in it, and ends it.
 * @param script in this folder: it answers one message with one. @param order JSON-safe, as the answer is.
 * @param timeoutSeconds undefined: as long as it takes.
 */
export function askMutant<Answer>(
  mutant: string,
  script: string,
  order: object,
  timeoutSeconds: number | undefined,
): Promise<MutantAnswer<Answer>> {
  const hooks = pathToFileURL(join(import.meta.dirname, 'mutant-hooks.ts')).href;
  const child = fork(join(import.meta.dirname, script), {
    execArgv: ['--import', hooks, '--disable-warning=ExperimentalWarning'],
    env: { ...process.env, [MUTANT_VARIABLE]: mutant },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return new Promise((resolve) => {
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    const finish = (result: MutantAnswer<Answer>): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      child.kill('SIGKILL');
      resolve(result);
    };
    const timer =
      timeoutSeconds === undefined
        ? undefined
        : setTimeout(() => finish({ outcome: 'timeout' }), timeoutSeconds * 1_000);
    child.once('exit', () => finish({ outcome: 'broken', message: reason(errors) }));
    child.once('message', (answer) => finish({ outcome: 'answered', answer: answer as Answer }));
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
