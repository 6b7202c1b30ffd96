import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { within } from '../driver/within.ts';
import { createLatencySample } from '../e2e/latency-sample.ts';
import { createPopulation, type Population } from '../e2e/population.ts';
import { startServerProcess, type ServerProcess } from '../e2e/server-process.ts';
import { readHttpTruth, readStoreTruth } from '../e2e/store-truth.ts';
import { JUDGED, judge, type Verdict } from '../e2e/verdict.ts';
import { createWitness, type Sighting } from '../e2e/witness.ts';
import { orExplain, serverUrl } from './development-token.ts';
import { EXIT } from './exit-code.ts';
import { flagsHelp, parseFlags } from './parse-flags.ts';
import { stopSignals } from './stop-signals.ts';

const FLAGS = {
  users: { value: 'N', help: 'simulated users, each a real socket (default: 100)' },
  seconds: { value: 'N', help: 'how long they talk (default: 16)' },
  rate: { value: 'N', help: 'messages a second, all users together (default: 150)' },
  url: { value: 'URL', help: 'of a server in development mode, instead of one of its own' },
  'no-kill': { help: 'leave the server alone' },
  json: { help: 'print the result as JSON' },
  help: { help: 'print this', short: 'h' },
};

const ABOUT =
  'A hundred users talk over real sockets to a real server with a real PostgreSQL. Half-way the server is killed with\n' +
  'kill -9 and started again; the users go on writing. At the end the oracles of the simulator judge what every device\n' +
  'showed against what the store holds.';

/** How long the server stays dead. */
const DEAD_MS = 1_500;
const SETTLE_MS = 30_000;
/** What the server gets to end when the demonstration is interrupted. */
const END_MS = 10_000;

export async function demo(argv: readonly string[]): Promise<number> {
  const flags = parseFlags('demo', FLAGS, argv);
  if (flags.on('help')) {
    console.log(flagsHelp('parley demo [flags]', ABOUT, FLAGS));
    return EXIT.ok;
  }
  const plan: Plan = {
    users: flags.integer('users', 2, 2_000) ?? 100,
    seconds: flags.integer('seconds', 2, 3_600) ?? 16,
    rate: flags.integer('rate', 1, 5_000) ?? 150,
    json: flags.on('json'),
  };
  const say = (line: string): void => (plan.json ? undefined : console.log(line));
  const given = flags.text('url');
  const url = given === undefined ? undefined : serverUrl('demo', given);
  if (url !== undefined) {
    const talked = talk(plan, say, url, () => Promise.resolve());
    const { result, population, sightings } = await orExplain(url, talked);
    const truths = await readHttpTruth(population.devices, population.chats, sightings);
    await population.stop();
    return report(
      plan,
      say,
      result,
      judge(
        sightings,
        truths,
        population.devices.map(({ deviceId }) => deviceId),
      ),
    );
  }
  return ownServer(plan, say, !flags.on('no-kill'));
}

interface Plan {
  readonly users: number;
  readonly seconds: number;
  readonly rate: number;
  readonly json: boolean;
}

interface Talk {
  readonly sent: number;
  readonly acked: number;
  readonly shown: number;
  readonly kills: number;
  readonly settled: boolean;
  readonly ackP50Ms: number | undefined;
  readonly ackP99Ms: number | undefined;
  readonly deliveryP50Ms: number | undefined;
  readonly deliveryP99Ms: number | undefined;
}

async function ownServer(plan: Plan, say: (line: string) => void, kill: boolean): Promise<number> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-demo-'));
  say('Starting a server of its own, with PostgreSQL …');
  // Interrupted, it takes the server, its PostgreSQL and their data along.
  const interrupted = stopSignals();
  let server = startServerProcess({ dataDir, ownGroup: true });
  const judged = async (): Promise<number> => {
    const first = await server;
    let kills = 0;
    const halfway = async (): Promise<void> => {
      if (!kill) return;
      await first.end('SIGKILL');
      kills++;
      say(`  ✗ kill -9 ${first.pid}: the server is gone; everybody goes on writing`);
      await sleep(DEAD_MS);
      server = startServerProcess({ dataDir, port: first.port, ownGroup: true });
      say(`  ✓ started again as process ${(await server).pid}`);
    };
    const { result, population, sightings } = await talk(plan, say, first.url, halfway);
    const served = population.devices.map(({ deviceId }) => deviceId);
    await population.stop();
    await (await server).end('SIGTERM');
    say('Reading the store and asking the oracles …');
    const truths = await readStoreTruth(dataDir, population.chats);
    return report(plan, say, { ...result, kills }, judge(sightings, truths, served));
  };
  try {
    const ended = await Promise.race([judged(), interrupted]);
    if (typeof ended === 'number') return ended;
    say(`\nThe demonstration ends, and so does its server …`);
    await within(END_MS, endServer(server, 'SIGTERM'));
    rmSync(dataDir, { recursive: true, force: true });
    // The users are still there.
    process.exit(128 + constants.signals[ended]);
  } finally {
    await endServer(server, 'SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** Also one that is just starting. */
async function endServer(server: Promise<ServerProcess>, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const running = await server.catch(() => undefined);
  await running?.end(signal);
}

interface Talked {
  readonly result: Talk;
  readonly population: Population;
  readonly sightings: readonly Sighting[];
}

/** Everybody talks for the planned time. @param halfway is started in the middle. */
async function talk(
  plan: Plan,
  say: (line: string) => void,
  url: string,
  halfway: () => Promise<void>,
): Promise<Talked> {
  const witness = createWitness();
  const totals = { acks: createLatencySample(), deliveries: createLatencySample() };
  const second = { acks: createLatencySample(), deliveries: createLatencySample() };
  const groups = Math.ceil(plan.users / 20);
  const population = await createPopulation({
    url,
    users: plan.users,
    devicesPerUser: 1,
    groups,
    groupSize: 20,
    seed: 7,
    device: {
      witness,
      onAcked(ms) {
        totals.acks.add(ms);
        second.acks.add(ms);
      },
      onShown(ms) {
        totals.deliveries.add(ms);
        second.deliveries.add(ms);
      },
    },
  });
  say(
    `${plan.users} users on real sockets, ${population.chats.length} chats (${groups} ${groups === 1 ? 'group' : 'groups'}), ${plan.rate} messages/s for ${plan.seconds} s`,
  );
  let killing: Promise<void> | undefined;
  const began = performance.now();
  for (let nextLine = 1_000, halfDone = false; ; await sleep(10)) {
    const elapsed = performance.now() - began;
    if (elapsed >= plan.seconds * 1_000) break;
    while (population.sent < (elapsed / 1_000) * plan.rate) population.act();
    if (!halfDone && elapsed > plan.seconds * 500) {
      halfDone = true;
      killing = halfway();
    }
    if (elapsed < nextLine) continue;
    say(line(population, nextLine / 1_000, second.acks.count, second.deliveries));
    nextLine += 1_000;
    second.acks.clear();
    second.deliveries.clear();
  }
  await killing;
  const settled = await population.settled(SETTLE_MS);
  const result: Talk = {
    sent: population.sent,
    acked: totals.acks.count,
    shown: totals.deliveries.count,
    kills: 0,
    settled,
    ackP50Ms: totals.acks.percentile(0.5),
    ackP99Ms: totals.acks.percentile(0.99),
    deliveryP50Ms: totals.deliveries.percentile(0.5),
    deliveryP99Ms: totals.deliveries.percentile(0.99),
  };
  // What follows is the end of the show: devices that are switched off are not stuck.
  return { result, population, sightings: witness.sightings.slice() };
}

function line(
  population: Population,
  t: number,
  acks: number,
  deliveries: ReturnType<typeof createLatencySample>,
): string {
  const live = population.devices.filter(({ status }) => status === 'live').length;
  const ms = (value: number | undefined): string =>
    value === undefined ? '    –' : `${value.toFixed(1).padStart(6)} ms`;
  const cells = [
    `  ${String(t).padStart(3)} s`,
    `${String(acks).padStart(5)} acknowledged/s`,
    `${String(deliveries.count).padStart(6)} shown/s`,
    `p50 ${ms(deliveries.percentile(0.5))}`,
    `p99 ${ms(deliveries.percentile(0.99))}`,
    `${live}/${population.devices.length} connected`,
  ];
  return cells.join(' · ');
}

function report(plan: Plan, say: (line: string) => void, result: Talk, verdict: Verdict): number {
  const { violation } = verdict;
  if (plan.json) {
    console.log(
      JSON.stringify({
        ...result,
        observations: verdict.observations,
        violation: violation ?? null,
        stuck: verdict.stuck,
      }),
    );
    return violation === undefined ? EXIT.ok : EXIT.failed;
  }
  const ms = (value: number | undefined): string => (value === undefined ? '–' : `${value.toFixed(1)} ms`);
  say('');
  say(
    `Sent ${result.sent}, acknowledged ${result.acked}, shown on other devices ${result.shown}; ` +
      (result.kills === 0 ? 'the server was left alone.' : 'the server was killed once.'),
  );
  say(
    `Delivery${result.kills === 0 ? '' : ', the outage included'}: p50 ${ms(result.deliveryP50Ms)}, p99 ${ms(result.deliveryP99Ms)}.`,
  );
  say(`Oracles over ${verdict.observations} observations:`);
  for (const name of JUDGED)
    say(`  ${violation === undefined ? '✓' : name === violation.oracle ? '✗' : '·'} ${name}`);
  if (violation === undefined) {
    say('Nothing acknowledged was lost, nothing shown twice, every order kept.');
    return EXIT.ok;
  }
  say(`Expected: ${violation.expected}`);
  say(`Observed: ${violation.observed}`);
  for (const who of verdict.stuck) say(`  stuck: ${who}`);
  say('Next: parley demo --json > demo.json');
  return EXIT.failed;
}
