import { StoreNotReadyError } from './adapters/postgres/store-readiness.ts';
import { COMMANDS, commandList, findCommand } from './cli/commands.ts';
import { CommandError, EXIT } from './cli/exit-code.ts';
import { ConfigError } from './config/config-error.ts';
import { StartError } from './server/start-error.ts';

/** `parley <command> [flags]`: finds the command, runs it, and turns what it throws into a message and an exit code. */
async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const asked = name === undefined || rest[0] === undefined ? undefined : findCommand(rest[0]);
    if (asked !== undefined) return asked.run(['--help']);
    console.log(commandList());
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = findCommand(name);
  if (command === undefined) {
    const known = COMMANDS.map((each) => each.name).join(', ');
    throw new CommandError(
      EXIT.usage,
      `there is no command ${JSON.stringify(name)}; there are ${known}`,
      'parley --help',
    );
  }
  return command.run(rest);
}

const START_EXITS = {
  'port-in-use': EXIT.portInUse,
  'port-not-allowed': EXIT.portInUse,
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
  console.error('parley: a defect of Parley, not of your input:', error);
  return EXIT.defect;
}

process.exitCode = await main(process.argv.slice(2)).catch(report);
