import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import { within } from '../driver/within.ts';
import { deviceOf, userOf } from '../http-api/development-names.ts';
import { LOG_LEVELS, createLogger, type LogLevel } from '../observability/logger.ts';
import { startRecording } from '../recording/machine-recorder.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';
import { startServer, type ParleyServer } from '../server/start-server.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';
import { stopSignals } from './stop-signals.ts';

const FLAGS = {
  port: { value: 'N', help: 'port to listen on, 0 for a free one (default: $PORT, else 8080)' },
  host: { value: 'ADDRESS', help: 'address to listen on (default: localhost only)' },
  data: { value: 'FOLDER', help: 'where everything durable lives (default: $DATA, else ./data)' },
  'log-level': { value: 'LEVEL', help: `${LOG_LEVELS.join(', ')} (default: warn on a terminal, else info)` },
  record: { value: 'FOLDER', help: 'write down what every machine is told, for `parley sim replay FOLDER`' },
  json: { help: 'print where it listens as one JSON line instead of a welcome' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Runs the whole system in this process, with a PostgreSQL of its own. Ctrl-C drains and stops it; a second Ctrl-C\n' +
  'does not wait. Tokens are for development: whoever reaches the port may be anybody.';

/**
 * One process has nobody to hand its devices to: they wait for the restart, so a drain need not be spread, and whoever
 * pressed Ctrl-C wants the prompt back.
 */
const SINGLE_PROCESS_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  drainSpread: 500 * MILLISECOND,
  drainTimeout: 3 * SECOND,
};

/** An ordinary drain takes seconds; a database that takes longer to end is ended by the next start, which repairs it. */
const DRAIN_MS = 60_000;

/** Of one machine's recording. */
const RECORDING_BYTES = 1024 ** 3;

export async function serve(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('serve', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley serve [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const port = flags.integer('port', 0, 65_535) ?? portOfEnvironment();
  const dataDir = resolve(flags.text('data') ?? process.env['DATA'] ?? 'data');
  const log = createLogger(logLevel(flags.text('log-level')), 'parley');
  const json = flags.on('json');
  if (!json) console.log(`Parley starts: PostgreSQL in ${dataDir} …`);

  process.on('uncaughtException', (err) => {
    log.fatal(
      { err },
      'a defect of Parley; the process ends, and what was acknowledged is in the data folder',
    );
    process.exit(EXIT.defect);
  });
  const ended = Promise.withResolvers<number>();
  const limits = SINGLE_PROCESS_LIMITS;
  const record = flags.text('record');
  const recording =
    record === undefined
      ? undefined
      : startRecording({ folder: resolve(record), node: 'serve', maxBytes: RECORDING_BYTES, log });
  const stopAsked = stopSignals();
  const server = await startServer({
    port,
    dataDir,
    limits,
    log,
    recording,
    host: flags.text('host') ?? 'localhost',
    openStore: (metrics) => openEmbeddedStore({ dataDir, limits, log, metrics }),
    onBroken: () => ended.resolve(EXIT.defect),
  });
  if (json) console.log(JSON.stringify({ url: server.url, pid: process.pid, dataDir }));
  else console.log(await welcome(server, port));
  stopAsked.then(() => drain(server, log, json)).then(ended.resolve, ended.reject);
  // What still holds the event loop after that (a device that does not answer) must not hold the process.
  process.exit(await ended.promise);
}

function portOfEnvironment(): number {
  const text = process.env['PORT'] ?? '';
  if (text === '') return 8080;
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new CommandError(
      EXIT.usage,
      `PORT: ${JSON.stringify(text)} is not a port from 0 to 65535`,
      'PORT=8080 make run',
    );
  }
  return Number(text);
}

function logLevel(text: string | undefined): LogLevel {
  if (text === undefined) return process.stderr.isTTY ? 'warn' : 'info';
  const level = LOG_LEVELS.find((each) => each === text);
  if (level !== undefined) return level;
  throw new CommandError(
    EXIT.usage,
    `--log-level: ${JSON.stringify(text)} is none of ${LOG_LEVELS.join(', ')}`,
    'parley serve --help',
  );
}

async function drain(server: ParleyServer, log: Logger, json: boolean): Promise<number> {
  if (!json) console.log('\nParley drains: devices are sent away, what is under way is finished …');
  log.info('drain started');
  if (!(await within(DRAIN_MS, server.drain()))) log.warn('drain ran out of time: the process ends as it is');
  if (!json) console.log('Stopped. Everything that was acknowledged is in the data folder.');
  return EXIT.ok;
}

async function welcome(server: ParleyServer, asked: number): Promise<string> {
  const lines = [`Parley is ready at ${server.url}   (Ctrl-C stops it)`, ''];
  const url = asked === 8080 ? '' : ` --url ${server.url}`;
  lines.push(
    'Talk, in two other terminals:',
    `  ./parley chat --as alice --to bob${url}`,
    `  ./parley chat --as bob --to alice${url}`,
    '',
  );
  lines.push('Tokens for your own client (development only, valid for a day):');
  for (const name of ['alice', 'bob']) {
    const userId = userOf(name);
    const token = await server.tokens.issue({ userId, deviceId: deviceOf(userId, 'main') });
    lines.push(`  ${name} = ${userId}`, `  ${token}`);
  }
  lines.push('', `WebSocket ${server.url.replace('http', 'ws')}/ws/connect · metrics ${server.url}/metrics`);
  return lines.join('\n');
}
