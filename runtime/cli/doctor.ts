import { loadConfig } from '../config/load-config.ts';
import { examineDeployment } from '../doctor/examine.ts';
import type { Finding } from '../doctor/finding.ts';
import { createLogger } from '../observability/logger.ts';
import { EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const FLAGS = {
  config: { value: 'FILE', help: 'YAML or JSON (default: $PARLEY_CONFIG, else the environment alone)' },
  timeout: { value: 'MS', help: 'no question waits longer (default: 3000)' },
  json: { help: 'print the findings as JSON' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Asks every engine and process that the configuration names: whether it answers, which version it is, whether it could\n' +
  'lose what was acknowledged, whether clocks agree. Says what is wrong and what to do. Changes nothing.';

const MARKS = { ok: '✓', warning: '!', broken: '✗' } as const;

export async function doctor(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('doctor', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley doctor [flags]', ABOUT, FLAGS));
    console.log(
      `\nExit codes: ${EXIT.ok} well (warnings included), ${EXIT.unavailable} something is broken.`,
    );
    return EXIT.ok;
  }
  const timeoutMs = flags.integer('timeout', 100, 60_000) ?? 3_000;
  const config = loadConfig({ path: flags.text('config'), environment: process.env });
  const findings = await examineDeployment({
    config,
    timeoutMs,
    log: createLogger('silent', 'doctor'),
  });
  const broken = findings.filter(({ verdict }) => verdict === 'broken').length;
  const warnings = findings.filter(({ verdict }) => verdict === 'warning').length;
  if (flags.on('json')) console.log(JSON.stringify({ broken, warnings, findings }));
  else {
    for (const finding of findings) console.log(lines(finding));
    console.log(
      broken + warnings === 0
        ? 'All is well.'
        : `${broken} broken, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`,
    );
  }
  return broken === 0 ? EXIT.ok : EXIT.unavailable;
}

function lines({ subject, region, verdict, detail, next }: Finding): string {
  const where = region === undefined ? '' : `${region}  `;
  const line = `${MARKS[verdict]} ${where}${subject}: ${detail}`;
  return next === undefined ? line : `${line}\n    Next: ${next}`;
}
