import { StoreNotReadyError } from './adapters/postgres/store-readiness.ts';
import type { Command } from './cli/command.ts';
import { COMMANDS, commandList, findCommand } from './cli/commands.ts';
import { CommandError, EXIT } from './cli/exit-code.ts';
import { explainFileError } from './cli/file-error.ts';
import { ApiError } from './client/http-calls.ts';
import { ConfigError } from './config/config-error.ts';
import { VERSION } from './observability/version.ts';
import { StartError } from './server/start-error.ts';

/** `parley <command> [flags]`: finds the command, runs it, and turns what it throws into a message and an exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    if (name !== undefined && rest[0] !== undefined) return commandOf(rest[0]).run(['--help']);
    console.log(commandList());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  if (name === 'version' || name === '--version') {
    console.log(VERSION);
    return EXIT.ok;
  }
  return commandOf(name).run(rest);
}

function commandOf(name: string): Command {
  const command = findCommand(name);
  if (command !== undefined) return command;
  const known = COMMANDS.map((each) => each.name).join(', ');
  throw new CommandError(
    EXIT.usage,
    `there is no command ${JSON.stringify(name)}; there are ${known}`,
    'parley --help',
  );
}

const START_EXITS = {
  'port-in-use': EXIT.portInUse,
  'port-not-allowed': EXIT.portInUse,
  'address-unknown': EXIT.usage,
  'data-in-use': EXIT.dataInUse,
  'data-unusable': EXIT.failed,
  'store-unavailable': EXIT.unavailable,
} as const;

function report(error: unknown): number {
  if (error instanceof ConfigError) {
    console.error(`parley: ${error.message}\nNext: parley config --help`);
    return EXIT.usage;
  }
  if (error instanceof StoreNotReadyError) {
    console.error(`parley: ${error.message}`);
    return EXIT.unavailable;
  }
  if (error instanceof CommandError || error instanceof StartError) {
    console.error(`parley: ${error.message}`);
    if (error.next !== undefined) console.error(`Next: ${error.next}`);
    return error instanceof CommandError ? error.exitCode : START_EXITS[error.problem];
  }
  if (error instanceof ApiError && error.code === 'unreachable') {
    console.error(`parley: no Parley answers: ${error.message}\nNext: make run`);
    return EXIT.unavailable;
  }
  const refused = explainFileError(error);
  if (refused !== undefined) {
    console.error(`parley: ${refused}\nNext: name another place, or let this user have that one`);
    return EXIT.failed;
  }
  console.error('parley: a defect of Parley, not of your input:', error);
  return EXIT.defect;
}

process.exitCode = await main(process.argv.slice(2)).catch(report);
