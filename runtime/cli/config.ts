import { stringify } from 'yaml';
import { configKeyTable } from '../config/config-keys.ts';
import { loadConfig } from '../config/load-config.ts';
import { maskSecrets } from '../config/mask-secrets.ts';
import { configJsonSchema } from '../config/schema-node.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  config: { value: 'FILE', help: 'YAML or JSON (default: $PARLEY_CONFIG, else the environment alone)' },
  json: { help: 'print JSON instead of YAML' },
  help: { help: 'print this and every key', short: 'h' },
};

const ABOUT =
  'print   the configuration as a process would use it, checked, defaults filled in, secrets masked\n' +
  'schema  the JSON schema of the file, for editors';

export async function config(argv: readonly string[]): Promise<number> {
  const [action = '', ...rest] = argv;
  const flags = parseFlags('config', FLAGS, action.startsWith('-') ? argv : rest);
  if (flags.on('help')) {
    console.log(flagsHelp('parley config print|schema [flags]', ABOUT, FLAGS));
    console.log(`\nKeys, and their variables:\n${configKeyTable()}`);
    return EXIT.ok;
  }
  if (action === 'schema') console.log(JSON.stringify(configJsonSchema(), undefined, 2));
  else if (action === 'print') {
    const { placement: _, ...loaded } = loadConfig({ path: flags.text('config'), environment: process.env });
    const shown = maskSecrets(loaded);
    console.log(flags.on('json') ? JSON.stringify(shown, undefined, 2) : stringify(shown).trimEnd());
  } else {
    throw new CommandError(
      EXIT.usage,
      action === ''
        ? 'config needs print or schema'
        : `config: ${JSON.stringify(action)} is not print or schema`,
      'parley config --help',
    );
  }
  return EXIT.ok;
}
