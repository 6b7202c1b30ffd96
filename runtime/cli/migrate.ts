import { loadConfig } from '../config/load-config.ts';
import { createLogger } from '../observability/logger.ts';
import { migrateDeployment, type MigrationStep } from '../roles/migrate-deployment.ts';
import { EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  config: { value: 'FILE', help: 'YAML or JSON (default: $PARLEY_CONFIG, else the environment alone)' },
  all: { help: 'every region instead of this one' },
  json: { help: 'print the steps as JSON' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Brings the schema of every shard of this region to this release and makes the Kafka topics that are missing. Forward\n' +
  'only; safe to repeat, and to run by many at once. What exists is never changed, only reported when it differs.';

export async function migrate(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('migrate', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley migrate [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const config = loadConfig({ path: flags.text('config'), environment: process.env });
  const json = flags.on('json');
  const steps = await migrateDeployment({
    config,
    everywhere: flags.on('all'),
    log: createLogger(json ? 'error' : 'warn', 'migrate'),
    onStep: (step) => (json ? undefined : console.log(`  ${line(step)}`)),
  });
  const failed = steps.filter(({ outcome }) => outcome === 'failed');
  const differ = steps.filter(({ outcome }) => outcome === 'differs');
  if (json) console.log(JSON.stringify({ steps }));
  else if (failed.length > 0)
    console.error(
      `${failed.length} of ${steps.length} failed. Next: parley doctor, then parley migrate again`,
    );
  else if (differ.length > 0)
    console.error(
      `${differ.length} topics are not as configured. Next: change the configuration, or the topics by hand`,
    );
  else console.log('Everything is at this release.');
  if (failed.length > 0) return EXIT.unavailable;
  return differ.length > 0 ? EXIT.failed : EXIT.ok;
}

function line({ region, what, outcome, detail }: MigrationStep): string {
  const mark = outcome === 'failed' || outcome === 'differs' ? '✗' : '✓';
  return `${mark} ${region}  ${what.padEnd(28)} ${outcome}${detail === undefined ? '' : `: ${detail}`}`;
}
