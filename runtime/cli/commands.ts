import type { Command } from './command.ts';
import { CommandError, EXIT } from './exit-code.ts';

/** Every command of `parley`. Each is loaded when it is asked for, so that `--help` answers at once. */
export const COMMANDS: readonly Command[] = [
  {
    name: 'serve',
    summary: 'run the whole system in this process',
    run: async (argv) => (await import('./serve.ts')).serve(argv),
  },
  {
    name: 'chat',
    summary: 'talk to somebody from this terminal',
    run: async (argv) => (await import('./chat.ts')).chat(argv),
  },
  {
    name: 'token',
    summary: 'print a development token',
    run: async (argv) => (await import('./token.ts')).token(argv),
  },
  {
    name: 'demo',
    summary: 'a hundred users, a server that dies, and a verdict',
    run: async (argv) => (await import('./demo.ts')).demo(argv),
  },
  {
    name: 'bench',
    summary: 'measure this machine: core, simulator, store, end to end',
    run: async (argv) => (await import('./bench.ts')).bench(argv),
  },
  {
    name: 'gateway',
    summary: 'hold device connections, on the engines of a configuration',
    run: async (argv) => (await import('./role.ts')).role('gateway', argv),
  },
  {
    name: 'message-service',
    summary: 'order and store messages',
    run: async (argv) => (await import('./role.ts')).role('message-service', argv),
  },
  {
    name: 'outbox-relay',
    summary: 'bring stored messages into the delivery queue',
    run: async (argv) => (await import('./role.ts')).role('outbox-relay', argv),
  },
  {
    name: 'delivery-worker',
    summary: 'bring delivery events to the gateways',
    run: async (argv) => (await import('./role.ts')).role('delivery-worker', argv),
  },
  {
    name: 'http-api',
    summary: 'answer the HTTP API alone',
    run: async (argv) => (await import('./role.ts')).role('http-api', argv),
  },
  {
    name: 'all',
    summary: 'every role in one process, on the engines of a configuration',
    run: async (argv) => (await import('./role.ts')).role('all', argv),
  },
  {
    name: 'config',
    summary: 'print the configuration as a process would use it, or its schema',
    run: async (argv) => (await import('./config.ts')).config(argv),
  },
  {
    name: 'cluster',
    summary: 'start, show or end every role as processes on this machine',
    run: async (argv) => (await import('./cluster.ts')).cluster(argv),
  },
  {
    name: 'doctor',
    summary: 'ask every engine and process of a configuration what is wrong, and what to do',
    run: async (argv) => (await import('./doctor.ts')).doctor(argv),
  },
  {
    name: 'migrate',
    summary: 'bring the databases and topics of a configuration to this release',
    run: async (argv) => (await import('./migrate.ts')).migrate(argv),
  },
  {
    name: 'certificates',
    summary: 'make certificates for the links between roles',
    run: async (argv) => (await import('./certificates.ts')).certificates(argv),
  },
  {
    name: 'services',
    summary: 'start the engines on this machine: up, down, status',
    run: async (argv) => (await import('./services.ts')).services(argv),
  },
  {
    name: 'load',
    summary: 'load a running system and print what it does',
    run: async (argv) => (await import('./load.ts')).load(argv),
  },
  {
    name: 'sim',
    summary: 'simulate disasters: run, replay, shrink, mutants',
    run: async (argv) => (await import('../../sim/commands/sim.ts')).simCommand(argv),
  },
  {
    name: 'conformance',
    summary: 'compare the simulator’s models with the engines that run here',
    run: async (argv) => (await import('./conformance.ts')).conformance(argv),
  },
];

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}

export function commandList(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  return [
    'Parley: chat delivery whose every decision is made by one deterministic core, simulated and real.',
    '',
    'Usage: parley <command> [flags]',
    '',
    ...COMMANDS.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'parley <command> --help tells a command’s flags, parley --version the release.',
    `Exit codes: ${EXIT.ok} done, ${EXIT.usage} wrong command line, ${EXIT.failed} failed or found a violation, ` +
      `${EXIT.portInUse} port in use, ${EXIT.dataInUse} data folder in use,`,
    `            ${EXIT.unavailable} something it needs does not answer, ${EXIT.defect} a defect of Parley.`,
  ].join('\n');
}

/** @throws CommandError that says that a value is needed. */
export function required(command: string, flag: string, value: string | undefined): string {
  if (value !== undefined && value !== '') return value;
  throw new CommandError(EXIT.usage, `${command} needs --${flag}`, `parley ${command} --help`);
}
