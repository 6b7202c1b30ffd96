import { runCommand } from './run-command.ts';

/** @returns the first number of several parts in what a program says for `--version`: `15.13`, `7.0.15`. */
export async function programVersion(command: string): Promise<string> {
  return /\d+(?:\.\d+)+/.exec(await runCommand(command, ['--version']))?.[0] ?? 'unknown';
}
