import { openIdle } from '../e2e/idle-load.ts';
import { loadGroup } from '../e2e/group-load.ts';
import { connectLibraryDevice } from '../e2e/load-library-device.ts';
import { connectLoadPoller } from '../e2e/load-poller.ts';
import { connectPairs, type LoadResult, type PairOptions } from '../e2e/pair-load.ts';
import { orExplain } from './development-token.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { type Figure, reached, row } from './figures.ts';
import type { HttpLoadResult } from './http-load.ts';
import { loadTargets, type LoadTargets } from './load-targets.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';
import { cpuSeconds, type RoleUrl } from './role-cpu.ts';

const PARTS = ['sends', 'http', 'poll', 'group', 'idle'] as const;
type Part = (typeof PARTS)[number];

const FLAGS = {
  url: { value: 'URL,…', help: 'gateways to load (default: those of the local cluster)' },
  only: { value: 'PARTS', help: `some of ${PARTS.join(',')} (default: all)` },
  seconds: { value: 'N', help: 'length of each measurement (default: 10)' },
  pairs: { value: 'N', help: 'pairs of users who write to each other (default: 200)' },
  rate: {
    value: 'N',
    help: 'messages a second of the steady load in sends (default: 1000)',
  },
  window: { value: 'N', help: 'messages under way per sender when saturated (default: 8)' },
  devices: { value: 'KIND', help: 'light, or library: what sends and receives in sends (default: light)' },
  pollers: { value: 'N', help: 'devices that poll, each written to by a WebSocket (default: 200)' },
  members: { value: 'N', help: 'members of the group (default: 1000)' },
  connections: { value: 'N', help: 'idle connections (default: 15000)' },
  data: { value: 'FOLDER', help: 'of the local cluster (default: ./data/cluster)' },
  json: { help: 'print the figures as one JSON object' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Loads a running system in development mode from one process, bounded in time and count.\n' +
  'sends: durable 1:1 messages between gateways, at a steady rate and saturated. http: pages of a full chat by HTTP.\n' +
  'poll: messages to devices that poll, one a second each. group: one group, everybody online. idle: memory of a gateway per\n' +
  'connection. CPU is that of each role meanwhile. Devices are light: they speak the protocol and keep nothing, so that the system has\n' +
  'more of the machine. Those of the client library, whole as in an app, carry 2,000 sends/s too (two cores): --devices library.';

/** A device that polls gets so many messages a second. */
const POLLED_PER_S = 1;
const TARGET_SENDS = 2_000;
const TARGET_DELIVERY_P99_MS = 200;
const TARGET_GROUP_MS = 500;
const TARGET_IDLE_KB = 12;

interface Sizes {
  readonly devices: PairOptions;
  readonly pollers: number;
  readonly seconds: number;
  readonly pairs: number;
  readonly rate: number;
  readonly window: number;
  readonly members: number;
  readonly connections: number;
}

export async function load(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('load', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley load [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const sizes = {
    devices: devicesOf(flags.text('devices')),
    pollers: flags.integer('pollers', 1, 2_000) ?? 200,
    seconds: flags.integer('seconds', 1, 600) ?? 10,
    pairs: flags.integer('pairs', 1, 2_000) ?? 200,
    rate: flags.integer('rate', 1, 100_000) ?? TARGET_SENDS / 2,
    window: flags.integer('window', 1, 32) ?? 8,
    members: flags.integer('members', 2, 10_000) ?? 1_000,
    connections: flags.integer('connections', 1, 18_000) ?? 15_000,
  };
  const parts = partsOf(flags.text('only'));
  const targets = loadTargets(flags.text('url'), flags.text('data'));
  const json = flags.on('json');
  const figures: Figure[] = [];
  const show = (figure: Figure): void => {
    figures.push(figure);
    if (!json) console.log(row(figure));
  };
  for (const part of parts) {
    if (!json) console.log(`» ${part}: ${targets.gateways.join(', ')}`);
    await orExplain(targets.gateways.join(', '), RUN[part](targets, sizes, show));
  }
  const missed = figures.filter((figure) => !reached(figure)).length;
  if (json) console.log(JSON.stringify({ figures, missed }));
  else if (missed > 0)
    console.log(`\n${missed} target(s) missed. Next: close other programs, and parley load again`);
  else console.log('\nEvery target was reached.');
  return missed === 0 ? EXIT.ok : EXIT.failed;
}

function devicesOf(kind = 'light'): PairOptions {
  if (kind === 'light') return {};
  if (kind === 'library') return { sender: connectLibraryDevice, receiver: connectLibraryDevice };
  const problem = `--devices: ${JSON.stringify(kind)} is neither light nor library`;
  throw new CommandError(EXIT.usage, problem, 'parley load --help');
}

function partsOf(text: string | undefined): readonly Part[] {
  if (text === undefined) return PARTS;
  return text.split(',').map((name) => {
    const part = PARTS.find((each) => each === name);
    if (part !== undefined) return part;
    const problem = `--only: ${JSON.stringify(name)} is none of ${PARTS.join(', ')}`;
    throw new CommandError(EXIT.usage, problem, 'parley load --help');
  });
}

/** Roles that have just started compile what they run while they serve: some seconds later they answer in half the time. */
const WARM_UP_SECONDS = 15;

type Show = (figure: Figure) => void;
type Run = (targets: LoadTargets, sizes: Sizes, show: Show) => Promise<void>;

const RUN: Record<Part, Run> = {
  async sends({ gateways, roles }, { seconds, pairs, rate, window, devices }, show) {
    const load = await connectPairs(gateways, pairs, devices);
    await load.pace(WARM_UP_SECONDS, rate);
    const steady = await withCpu(roles, show, () => load.pace(seconds, rate));
    showLatencies(show, `sends: at ${rate} messages/s`, steady, TARGET_DELIVERY_P99_MS);
    // Afterwards: databases clean up for a while after they were full.
    const full = await withCpu(roles, show, () => load.saturate(seconds, window));
    const target = { at: 'least', value: TARGET_SENDS } as const;
    const value = full.ackedPerSecond;
    show({ name: 'sends: durable 1:1 messages, saturated', value, unit: 'messages/s', target });
    showLatencies(show, 'sends: saturated', full, undefined);
    await load.close();
  },
  async http({ gateways, roles }, { seconds }, show) {
    const [url] = gateways as [string];
    showHttp(show, 'http: history', await withCpu(roles, show, () => historyOf(url, seconds)));
  },
  async poll({ gateways, roles }, { seconds, pollers }, show) {
    const load = await connectPairs(gateways, pollers, { receiver: connectLoadPoller });
    const perSecond = POLLED_PER_S * pollers;
    await load.pace(2, perSecond); // warms up
    const result = await withCpu(roles, show, () => load.pace(seconds, perSecond));
    const name = `poll: ${pollers} devices`;
    show({ name: `${name}, delivered`, value: result.deliveredPerSecond, unit: 'messages/s' });
    showLatencies(show, name, result, TARGET_DELIVERY_P99_MS);
    await load.close();
  },
  async group({ gateways, roles }, { members }, show) {
    const { lastAfterAck } = await withCpu(roles, show, () => loadGroup(gateways, members, 20));
    const name = `group of ${members}: last device after the ACK`;
    const at = (share: number): number => lastAfterAck.percentile(share) ?? Number.NaN;
    show({ name: `${name}, p50 of 20`, value: at(0.5), unit: 'ms' });
    const target = { at: 'most', value: TARGET_GROUP_MS } as const;
    show({ name: `${name}, worst of 20`, value: at(1), unit: 'ms', target });
  },
  async idle({ gateways, roles }, { connections }, show) {
    const [url] = gateways as [string];
    await (await openIdle({ urls: [url], connections: 200 })).close(); // warms up
    const idle = await withCpu(roles, show, () => openIdle({ urls: [url], connections }));
    const name = `idle: memory per connection, of ${connections} at one gateway`;
    const target = { at: 'most', value: TARGET_IDLE_KB } as const;
    show({ name, value: idle.bytesPerConnection / 1_000, unit: 'kB', target });
    show({ name: 'idle: connections opened', value: idle.perSecond, unit: 'connections/s' });
    await idle.close();
  },
};

function showLatencies(show: Show, load: string, result: LoadResult, p99Ms: number | undefined): void {
  const target = p99Ms === undefined ? {} : { target: { at: 'most', value: p99Ms } as const };
  show({ name: `${load}, ACK p50`, value: result.ackP50Ms, unit: 'ms' });
  show({ name: `${load}, ACK p99`, value: result.ackP99Ms, unit: 'ms' });
  show({ name: `${load}, ACK p999`, value: result.ackP999Ms, unit: 'ms' });
  show({ name: `${load}, delivery p50`, value: result.deliveryP50Ms, unit: 'ms' });
  show({ name: `${load}, delivery p99`, value: result.deliveryP99Ms, unit: 'ms', ...target });
  show({ name: `${load}, delivery p999`, value: result.deliveryP999Ms, unit: 'ms' });
  if (result.refused > 0) show({ name: `${load}, refused`, value: result.refused, unit: 'messages' });
  const none = { at: 'most', value: 0 } as const;
  show({ name: `${load}, out of order`, value: result.outOfOrder, unit: 'messages', target: none });
  // Light devices count what a device machine would drop.
  show({ name: `${load}, came twice`, value: result.repeated, unit: 'messages' });
}

/** Loaded when it is asked for: what loads over HTTP is a tool of development, which the image does not have. */
async function historyOf(url: string, seconds: number): Promise<HttpLoadResult> {
  const loader = await import('./http-load.ts').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const problem = 'autocannon is not installed here, which http needs';
    throw new CommandError(EXIT.usage, problem, 'parley load --only sends,group,idle');
  });
  return loader.loadHistory(url, seconds);
}

function showHttp(show: Show, name: string, result: HttpLoadResult): void {
  show({ name: `${name}, requests`, value: result.perSecond, unit: 'requests/s' });
  show({ name: `${name}, messages read in turns`, value: result.messages, unit: 'messages' });
  show({ name: `${name}, p50`, value: result.p50Ms, unit: 'ms' });
  show({ name: `${name}, p99`, value: result.p99Ms, unit: 'ms' });
  show({
    name: `${name}, other answers than 200`,
    value: result.failures,
    unit: 'answers',
    target: { at: 'most', value: 0 },
  });
}

/** Runs a measurement and shows what each role used of a core meanwhile. */
async function withCpu<Result>(
  roles: readonly RoleUrl[],
  show: Show,
  measure: () => Promise<Result>,
): Promise<Result> {
  const before = await cpuSeconds(roles);
  const began = performance.now();
  const result = await measure();
  const seconds = (performance.now() - began) / 1_000;
  const after = await cpuSeconds(roles);
  for (const [role, used] of after) {
    const share = ((used - (before.get(role) ?? used)) / seconds) * 100;
    show({ name: `cpu: ${role}`, value: share, unit: '% of a core' });
  }
  return result;
}
