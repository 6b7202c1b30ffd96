import { spawn } from 'node:child_process';

/** A program ended with another code than 0, or could not be started. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly runAs?: { readonly uid: number; readonly gid: number } | undefined;
  /** What to do when there is no such program on this machine. */
  readonly hint?: string;
}

/** Runs a program to its end. @returns its standard output. @throws CommandFailed with the end of what it said. */
export function runCommand(
  command: string,
  args: readonly string[],
  { cwd, environment, runAs, hint }: CommandOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
      cwd,
      ...runAs,
    });
    let output = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      said = (said + text).slice(-SAID);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID)));
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' && hint !== undefined;
      reject(
        new CommandFailed(missing ? `there is no ${command}. Next: ${hint}` : `${command}: ${error.message}`),
      );
    });
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new CommandFailed(`${command} ${args[0] ?? ''} ended with ${code}: ${said.trim()}`));
    });
  });
}

const SAID = 1_500;
