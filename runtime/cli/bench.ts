import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import type { SimBenchResult } from '../../sim/commands/sim-bench.ts';
import { benchCore } from '../../sim/commands/core-bench.ts';
import { benchQueue } from '../adapters/kafka/bench-queue.ts';
import { benchLinks } from '../adapters/grpc/bench-links.ts';
import { benchSizes } from '../adapters/postgres/bench-sizes.ts';
import { benchStore } from '../adapters/postgres/bench-store.ts';
import { benchRegistry } from '../adapters/redis/bench-registry.ts';
import { openIdle } from '../e2e/idle-load.ts';
import { connectPairs, type LoadResult } from '../e2e/pair-load.ts';
import { startServerProcess } from '../e2e/server-process.ts';
import { createLogger } from '../observability/logger.ts';
import type { RedisEndpoint } from '../adapters/redis/redis-endpoint.ts';
import type { RedisConfig } from '../config/regions-schema.ts';
import { redisEndpoint } from '../roles/engine-addresses.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';
import { measureRecording, measureReplay } from './bench-recording.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { type Figure, reached, row } from './figures.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';

const PARTS = [
  'core',
  'sim',
  'store',
  'sizes',
  'links',
  'e2e',
  'idle',
  'recording',
  'kafka',
  'redis',
] as const;
type Part = (typeof PARTS)[number];

const FLAGS = {
  only: { value: 'PARTS', help: `some of ${PARTS.join(',')} (default: all, engines when they are named)` },
  brokers: { value: 'ADDRESSES', help: 'host:port of brokers to measure, with commas between' },
  redis: { value: 'URL', help: 'redis://host:port, or the host:port of cluster nodes with commas between' },
  seconds: { value: 'N', help: 'length of each measurement (default: 5)' },
  json: { help: 'print the figures as one JSON object' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'Measures this machine. core: decisions of the machines, in time of one core. sim: simulated events, in time of one core.\n' +
  'store: durable writes of PostgreSQL; sizes: what messages take there. links: items between two processes, mutual TLS.\n' +
  'e2e: 1:1 messages over real sockets, server and load in processes of their own.\n' +
  'idle: server memory per connection that does nothing. recording: what it costs, and how fast it is replayed.\n' +
  'kafka: delivery events through the brokers of --brokers.\n' +
  'redis: sessions registered, renewed and looked up in the Redis of --redis.\n' +
  'Close other programs first.';

/** What this system promises on two cores; missing one is exit code 2. */
const TARGET_MESSAGES_PER_S = 2_000;
const TARGET_P99_MS = 100;
/** Ten times the sends that the system promises: each is an event or a few, and its receipts are events too. */
const TARGET_QUEUE_EVENTS_PER_S = 20_000;
const TARGET_LOOKUPS_PER_S = 50_000;
/** An hour of a server that is not busy is looked at in a minute. */
const TARGET_REPLAY = 50;
const REPLAYED_SECONDS = 20;
const REPLAYED_PER_S = 50;
/** Of the core's messages: what a core's cache holds, and what it does not. */
const FEW_PAIRS = 16;
const MANY_PAIRS = 1_000;

/** Engines to measure, as far as they are named. */
interface Engines {
  readonly brokers: readonly string[];
  readonly redis: RedisEndpoint | undefined;
}

export async function bench(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('bench', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley bench [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const brokers = flags.text('brokers')?.split(',') ?? [];
  const engines: Engines = { brokers, redis: redisOf(flags.text('redis')) };
  const parts = partsOf(flags.text('only'), engines);
  const seconds = flags.integer('seconds', 1, 600) ?? 5;
  const json = flags.on('json');
  const figures: Figure[] = [];
  const show = (figure: Figure): void => {
    figures.push(figure);
    if (!json) console.log(row(figure));
  };
  if (!json)
    console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? 'unknown'} · Node ${process.version}\n`);
  for (const part of parts) await RUN[part](seconds, show, engines);
  const missed = figures.filter((figure) => !reached(figure));
  if (json)
    console.log(
      JSON.stringify({ cores: cpus().length, node: process.version, figures, missed: missed.length }),
    );
  else
    console.log(
      missed.length === 0
        ? '\nEvery target was reached.'
        : `\n${missed.length} target(s) missed. Next: close other programs, and parley bench again`,
    );
  return missed.length === 0 ? EXIT.ok : EXIT.failed;
}

function partsOf(text: string | undefined, { brokers, redis }: Engines): readonly Part[] {
  const isMissing = (part: Part): boolean =>
    (part === 'kafka' && brokers.length === 0) || (part === 'redis' && redis === undefined);
  if (text === undefined) return PARTS.filter((part) => !isMissing(part));
  const parts = text.split(',').map((name) => {
    const part = PARTS.find((each) => each === name);
    if (part !== undefined) return part;
    throw new CommandError(
      EXIT.usage,
      `--only: ${JSON.stringify(name)} is none of ${PARTS.join(', ')}`,
      'parley bench --help',
    );
  });
  const missing = parts.find(isMissing);
  if (missing !== undefined) {
    const flag = missing === 'kafka' ? '--brokers 127.0.0.1:9192' : '--redis redis://127.0.0.1:6390';
    const what = `--only ${missing} needs ${flag.split(' ')[0]}`;
    throw new CommandError(EXIT.usage, what, `parley bench --only ${missing} ${flag}`);
  }
  return parts;
}

function redisOf(text: string | undefined): RedisEndpoint | undefined {
  if (text === undefined) return undefined;
  const nodes = text.split(',');
  const config: RedisConfig = text.includes('://') ? { url: text, tls: false } : { nodes, tls: false };
  if (nodes.every((node) => (text.includes('://') ? URL.canParse(text) : /^[^:]+:\d+$/.test(node))))
    return redisEndpoint(config);
  throw new CommandError(
    EXIT.usage,
    `--redis: ${JSON.stringify(text)} is neither redis://host:port nor host:port,host:port`,
    'parley bench --only redis --redis redis://127.0.0.1:6390',
  );
}

type Show = (figure: Figure) => void;

/** Time that this thread had a core for: what a decision costs does not depend on who else is on the machine. */
function coreMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

const RUN: Record<Part, (seconds: number, show: Show, engines: Engines) => Promise<void>> = {
  core(seconds, show) {
    const result = benchCore({ messages: 200_000 * seconds, pairs: FEW_PAIRS, clock: coreMs });
    const name = (pairs: number): string => `core: 1:1 messages, send to show, ${2 * pairs} devices`;
    show({
      name: name(FEW_PAIRS),
      value: result.messagesPerSecond,
      unit: 'messages/s',
      target: { at: 'least', value: 300_000 },
    });
    const many = benchCore({ messages: 50_000 * seconds, pairs: MANY_PAIRS, clock: coreMs });
    show({ name: name(MANY_PAIRS), value: many.messagesPerSecond, unit: 'messages/s' });
    for (const { machine, stepsPerSecond } of result.machines)
      show({ name: `core: ${machine}`, value: stepsPerSecond, unit: 'steps/s' });
    return Promise.resolve();
  },
  async sim(seconds, show) {
    const { eventsPerSecond, unjudgedEventsPerSecond } = await simBench(seconds);
    show({
      name: 'simulator: events, every oracle on, one core',
      value: eventsPerSecond,
      unit: 'events/s',
      target: { at: 'least', value: 1_000_000 },
    });
    show({
      name: 'simulator: events, no oracle, one core',
      value: unjudgedEventsPerSecond,
      unit: 'events/s',
    });
    const { seedsPerMinute, eventsPerSecond: ofCampaign } = await simSummary(seconds);
    show({
      name: 'simulator: small seeds, two processes',
      value: seedsPerMinute,
      unit: 'seeds/min',
      target: { at: 'least', value: 20_000 },
    });
    // Small worlds, drawn, built and judged anew each time: what a campaign gets of a core, by the clock on the wall.
    show({
      name: 'simulator: events of a campaign, by wall time, one core',
      value: Math.round(ofCampaign / CAMPAIGN_JOBS),
      unit: 'events/s',
    });
  },
  store: (seconds, show) =>
    inFolder(async (dataDir) => {
      const store = await openEmbeddedStore({
        dataDir,
        limits: DEFAULT_LIMITS,
        log: createLogger('error', 'bench'),
      });
      try {
        await benchStore(store, {
          concurrencies: [1, 64, 512],
          secondsEach: seconds,
          messageBytes: 100,
          onResult({ what, concurrency, perSecond, p99Ms }) {
            show({
              name: `store: durable ${what}, ${concurrency} chats at once`,
              value: perSecond,
              unit: `${what}/s`,
            });
            show({ name: `store: ${what}, ${concurrency} chats at once, p99`, value: p99Ms, unit: 'ms' });
          },
        });
      } finally {
        await store.close();
      }
    }),
  sizes: (seconds, show) =>
    inFolder(async (dataDir) => {
      const messageBytes = 100;
      const log = createLogger('error', 'bench');
      const sizes = await benchSizes({ dataDir, seconds, messageBytes, log });
      const of = `of ${messageBytes} bytes, 1:1, of ${sizes.messages}`;
      show({ name: `store: disk of a message ${of}`, value: sizes.bytesPerMessage, unit: 'bytes' });
      show({ name: 'store: the part of its body', value: sizes.bytesPerBody, unit: 'bytes' });
      const wal = 'store: log of a message, its outbox rows and its receipts';
      show({ name: wal, value: sizes.walBytesPerMessage, unit: 'bytes' });
    }),
  async links(seconds, show) {
    const result = await benchLinks(seconds);
    show({
      name: 'links: pushes and their answers, two processes',
      value: result.itemsPerSecond,
      unit: 'items/s',
      target: { at: 'least', value: 100_000 },
    });
    show({ name: 'links: core time of the pushing half', value: result.microsPerItem, unit: 'µs/item' });
    show({ name: 'links: pushes in one batch meanwhile', value: result.itemsPerBatch, unit: 'items' });
    const paced = `links: at ${result.pacedPerSecond} pushes/s, push to answer`;
    show({ name: `${paced} p50`, value: result.p50Ms, unit: 'ms' });
    show({ name: `${paced} p99`, value: result.p99Ms, unit: 'ms' });
  },
  e2e: (seconds, show) =>
    withServer(async (url) => {
      const pairs = await connectPairs([url], 100);
      await pairs.saturate(1, 4); // warms up both sides
      const full = await pairs.saturate(seconds, 8);
      show({
        name: 'end to end: durable 1:1 messages, saturated',
        value: full.ackedPerSecond,
        unit: 'messages/s',
        target: { at: 'least', value: TARGET_MESSAGES_PER_S },
      });
      show({ name: 'end to end: delivered meanwhile', value: full.deliveredPerSecond, unit: 'messages/s' });
      const calm = await pairs.pace(seconds, TARGET_MESSAGES_PER_S / 2);
      showPaced(show, `at ${TARGET_MESSAGES_PER_S / 2} messages/s`, calm, TARGET_P99_MS);
      showPaced(show, 'at half of saturated', await pairs.pace(seconds, full.ackedPerSecond / 2), undefined);
      await pairs.close();
    }),
  async kafka(seconds, show, { brokers }) {
    const result = await benchQueue({ brokers, seconds });
    const target = { at: 'least', value: TARGET_QUEUE_EVENTS_PER_S } as const;
    const { publishedPerSecond, consumedPerSecond } = result;
    show({ name: 'kafka: events published, durable', value: publishedPerSecond, unit: 'events/s', target });
    show({ name: 'kafka: events handed to a worker', value: consumedPerSecond, unit: 'events/s', target });
    const load = 'at a tenth of that';
    show({ name: `kafka: acknowledged ${load}, p50`, value: result.publishP50Ms, unit: 'ms' });
    show({ name: `kafka: acknowledged ${load}, p99`, value: result.publishP99Ms, unit: 'ms' });
    show({ name: `kafka: handed over ${load}, p50`, value: result.handedP50Ms, unit: 'ms' });
    show({ name: `kafka: handed over ${load}, p99`, value: result.handedP99Ms, unit: 'ms' });
    show({ name: 'kafka: content of an event', value: result.bytesPerEvent, unit: 'bytes' });
  },
  async redis(seconds, show, { redis }) {
    if (redis === undefined) return;
    const result = await benchRegistry({ endpoint: redis, seconds });
    const target = { at: 'least', value: TARGET_LOOKUPS_PER_S } as const;
    show({ name: 'redis: sessions registered', value: result.claimsPerSecond, unit: 'claims/s' });
    show({ name: 'redis: sessions renewed', value: result.renewalsPerSecond, unit: 'renewals/s' });
    show({ name: 'redis: users looked up', value: result.lookupsPerSecond, unit: 'lookups/s', target });
    show({ name: 'redis: presence read', value: result.readingsPerSecond, unit: 'users/s' });
    const load = '64 users looked up at a tenth of that';
    show({ name: `redis: ${load}, p50`, value: result.lookupP50Ms, unit: 'ms' });
    show({ name: `redis: ${load}, p99`, value: result.lookupP99Ms, unit: 'ms' });
    show({ name: 'redis: memory of a session', value: result.bytesPerSession, unit: 'bytes' });
  },
  idle: (_seconds, show) =>
    withServer(async (url) => {
      const connections = 2_000;
      await (await openIdle({ urls: [url], connections: 200 })).close(); // warms up
      const idle = await openIdle({ urls: [url], connections });
      await idle.close();
      show({
        name: `server: memory per idle connection, of ${connections}`,
        value: idle.bytesPerConnection / 1024,
        unit: 'KiB',
      });
    }),
  async recording(seconds, show) {
    const cost = await measureRecording(seconds);
    const unit = 'of that without';
    show({
      name: 'recording: durable 1:1 messages, saturated',
      value: 100 * cost.sendsRatio,
      unit: `% ${unit}`,
    });
    show({ name: 'recording: processor time a message', value: 100 * cost.cpuRatio, unit: `% ${unit}` });
    show({ name: 'recording: messages without it', value: cost.plainPerSecond, unit: 'messages/s' });
    const replay = await measureReplay(REPLAYED_SECONDS, REPLAYED_PER_S);
    if (replay.differing > 0) throw new Error(`${replay.differing} machines replayed to other effects`);
    const name = `replay: ${replay.recordedSeconds.toFixed(0)} s at ${REPLAYED_PER_S} messages/s, whole server`;
    const target = { at: 'least', value: TARGET_REPLAY } as const;
    show({ name, value: replay.timesRealTime, unit: 'times real time', target });
    show({ name: 'replay: steps of its machines', value: replay.stepsPerSecond, unit: 'steps/s' });
  },
};

function showPaced(show: Show, load: string, result: LoadResult, p99Ms: number | undefined): void {
  const target = p99Ms === undefined ? {} : { target: { at: 'most', value: p99Ms } as const };
  show({ name: `end to end: ${load}, acknowledged`, value: result.ackedPerSecond, unit: 'messages/s' });
  show({ name: `end to end: ${load}, send to ACK p50`, value: result.ackP50Ms, unit: 'ms' });
  show({ name: `end to end: ${load}, send to ACK p99`, value: result.ackP99Ms, unit: 'ms' });
  show({ name: `end to end: ${load}, send to other device p50`, value: result.deliveryP50Ms, unit: 'ms' });
  show({
    name: `end to end: ${load}, send to other device p99`,
    value: result.deliveryP99Ms,
    unit: 'ms',
    ...target,
  });
}

async function inFolder(run: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-bench-'));
  try {
    await run(dataDir);
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function withServer(run: (url: string) => Promise<void>): Promise<void> {
  return inFolder(async (dataDir) => {
    const server = await startServerProcess({ dataDir });
    try {
      await run(server.url);
    } finally {
      await server.end('SIGTERM');
    }
  });
}

interface SimSummary {
  readonly seedsPerMinute: number;
  readonly eventsPerSecond: number;
}

const CAMPAIGN_JOBS = 2;

function simSummary(seconds: number): Promise<SimSummary> {
  const seeds = String(1_000 * seconds);
  return parleySim('run', '--seeds', seeds, '--jobs', String(CAMPAIGN_JOBS)) as Promise<SimSummary>;
}

function simBench(seconds: number): Promise<SimBenchResult> {
  return parleySim('bench', '--seconds', String(seconds)) as Promise<SimBenchResult>;
}

/**
 * The simulator in a process of its own, as its users start it: it has its own settings, and bans the clocks and random
 * sources of the process it runs in. @returns what it prints as JSON.
 */
function parleySim(...argv: readonly string[]): Promise<unknown> {
  const parley = fileURLToPath(new URL('../../parley', import.meta.url));
  const child = spawn(parley, ['sim', ...argv, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    child.once('error', reject);
    child.once('exit', () => {
      try {
        resolve(JSON.parse(text));
      } catch (error) {
        reject(
          new Error(`parley sim ${argv[0]} printed no figures: ${text.slice(0, 200)}`, { cause: error }),
        );
      }
    });
  });
}
