import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { configKeyTable } from '../config/config-keys.ts';
import { loadConfig, type Config } from '../config/load-config.ts';
import { createLogger } from '../observability/logger.ts';
import type { NodeRole } from '../ports/node-directory.ts';
import { startRecording } from '../recording/machine-recorder.ts';
import { startRole, type RoleProcess } from '../roles/start-role.ts';
import { newRun } from '../server/new-run.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';
import { stopSignals } from './stop-signals.ts';

const FLAGS = {
  config: { value: 'FILE', help: 'YAML or JSON (default: $PARLEY_CONFIG, else the environment alone)' },
  record: { value: 'FOLDER', help: 'write down what every machine is told, for `parley sim replay FOLDER`' },
  json: { help: 'print where it listens as one JSON line' },
  help: { help: 'print this and every key of the configuration', short: 'h' },
};

const ABOUT: Record<NodeRole, string> = {
  gateway: 'Holds device connections (WebSocket and long polling) and answers the HTTP API.',
  'message-service': 'Gives messages their place in their chat and stores them.',
  'outbox-relay': 'Brings stored messages from the outboxes of this region into the delivery queue.',
  'delivery-worker': 'Brings delivery events to the gateways that hold the recipients’ devices.',
  'http-api': 'Answers the HTTP API alone.',
  all: 'Runs every role in one process, on the engines of the configuration.',
};

/** Runs one role until it is told to end: SIGTERM drains, a second signal ends at once. */
export async function role(name: NodeRole, argv: readonly string[]): Promise<number> {
  const flags = parseFlags(name, FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp(`parley ${name} [flags]`, ABOUT[name], FLAGS));
    console.log(`\nKeys of the configuration, and their variables:\n${configKeyTable()}`);
    return EXIT.ok;
  }
  const config = loadConfig({ path: flags.text('config'), environment: process.env });
  const log = createLogger(config.log.level, config.nodeName);
  const json = flags.on('json');
  process.on('uncaughtException', (err) => {
    log.fatal({ err }, 'a defect of Parley; the process ends, and what was acknowledged is in the store');
    process.exit(EXIT.defect);
  });
  const ended = Promise.withResolvers<ExitCode>();
  const stopAsked = stopSignals();
  const started = startRole({
    role: name,
    config,
    log,
    recording: recordingOf(flags.text('record'), config, log),
    onBroken: () => ended.resolve(EXIT.defect),
  });
  // Told to end while an engine is waited for: nothing is under way.
  const first = await Promise.race([started, stopAsked.then(() => undefined)]);
  if (first === undefined) process.exit(EXIT.ok);
  announce(name, config, first, json);
  void stopAsked.then((signal) => drain(first, config, log, signal)).then(ended.resolve, ended.reject);
  // What still holds the event loop after that must not hold the process.
  process.exit(await ended.promise);
}

function recordingOf(
  folder: string | undefined,
  { recording, nodeName }: Config,
  log: Logger,
): ReturnType<typeof startRecording> | undefined {
  const into = folder === undefined ? recording?.folder : resolve(folder);
  if (into === undefined) return undefined;
  const maxBytes = recording?.maxBytes ?? 1024 ** 3;
  // Of this run, so that a restart does not write over what led to it.
  return startRecording({ folder: into, node: `${nodeName}.${newRun()}`, maxBytes, log });
}

function announce(name: NodeRole, { region }: Config, process_: RoleProcess, json: boolean): void {
  const { url, nodeId, address } = process_;
  if (json)
    console.log(JSON.stringify({ role: name, url, nodeId, region, links: address, pid: process.pid }));
  else
    console.log(`${name} ${nodeId} of ${region} is ready at ${url}, links at ${address}  (Ctrl-C drains it)`);
}

/** @returns the exit code: whatever is not finished in time is left to the devices' retries. */
async function drain(
  started: RoleProcess,
  { drain: { timeoutMs } }: Config,
  log: Logger,
  signal: NodeJS.Signals,
): Promise<ExitCode> {
  log.info({ signal, timeoutMs }, 'drain started');
  const late = Promise.withResolvers<ExitCode>();
  const timer = setTimeout(() => {
    log.warn('drain ran out of time: what was under way is repeated by others');
    late.resolve(EXIT.ok);
  }, timeoutMs);
  const done = started.drain().then((): ExitCode => {
    log.info('drained');
    return EXIT.ok;
  });
  try {
    return await Promise.race([done, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
