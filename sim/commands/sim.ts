import { ablateCommand } from './ablate-command.ts';
import { atlasCommand } from './atlas-command.ts';
import { benchCommand } from './bench-command.ts';
import { EXIT } from './exit-code.ts';
import { mutantsCommand } from './mutants-command.ts';
import { replayCommand } from './replay-command.ts';
import { runCommand } from './run-command.ts';
import { RecordingFileError } from './recording-file.ts';
import { ScenarioFileError } from './scenario-file.ts';
import { shrinkCommand } from './shrink-command.ts';
import { UsageError } from './sim-flags.ts';

const HELP = `Usage: parley sim COMMAND [flags]

Attacks the core with simulated disasters, in virtual time: the same seed gives the same run, event for event.

  run      run many seeds, shrink what fails, show how to replay it
  replay   run one scenario again, a line for each event
  shrink   make a failing scenario as simple as it gets
  mutants  plant known bugs in the core and count the seeds until each is found
  ablate   show what each class of faults is worth: what is not found without it
  atlas    show which promise holds under which fault
  bench    measure how fast this machine simulates

parley sim COMMAND --help tells the flags and the exit codes.`;

type SimCommand = (argv: readonly string[]) => Promise<number> | number;

const COMMANDS: ReadonlyMap<string, SimCommand> = new Map<string, SimCommand>([
  ['run', runCommand],
  ['replay', replayCommand],
  ['shrink', shrinkCommand],
  ['mutants', mutantsCommand],
  ['ablate', ablateCommand],
  ['atlas', atlasCommand],
  ['bench', benchCommand],
]);

/** `parley sim …`. @param argv what follows `sim`. @returns the exit code. */
export async function simCommand(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === 'help' || name === '-h') {
    console.log(HELP);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = COMMANDS.get(name);
  try {
    if (command === undefined) throw new UsageError(`there is no command ${JSON.stringify(name)}`);
    return await command(rest);
  } catch (error) {
    if (
      !(error instanceof UsageError) &&
      !(error instanceof ScenarioFileError) &&
      !(error instanceof RecordingFileError)
    )
      throw error;
    console.error(`parley sim: ${error.message}`);
    console.error(`  next: ./parley sim ${command === undefined ? '' : `${name} `}--help`);
    return EXIT.usage;
  }
}
