import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../adapters/embedded-postgres/process-identity.ts';
import { shardsOf } from '../cluster/cluster-plan.ts';
import { guestsComeAndGo, type Guests } from './guests.ts';
import { createPopulation, type Population } from './population.ts';
import { openShardTruth, type ShardTruth } from './shard-truth.ts';
import type { TestCluster } from './test-cluster.ts';
import { judge, type Verdict } from './verdict.ts';
import { createWitness, type Witness } from './witness.ts';

/** People who go on writing through all gateways while something is broken behind them, and what their devices saw. */
export interface ClusterTraffic {
  readonly population: Population;
  readonly witness: Witness;
  /**
   * Waits until so many more sends are acknowledged than before: what was broken works again.
   * @throws Error when they are not in time.
   */
  moreAcked(count: number, withinMs?: number): Promise<void>;
  /** The same of changes of membership, where there are guests. */
  moreChanged(count: number, withinMs?: number): Promise<void>;
  /** Ends the writing, waits until everybody has everything, and has the oracles judge. */
  verdict(withinMs: number): Promise<WaitedVerdict & { readonly sent: number }>;
}

export interface ClusterTrafficOptions {
  readonly cluster: Pick<TestCluster, 'plan' | 'processes' | 'gateways'>;
  readonly users: number;
  readonly perSecond: number;
  readonly seed: number;
  /** Users who only listen, in a group with everybody; some of them come and go all the time. */
  readonly listeners?: number;
  /** Every so manieth device polls. */
  readonly pollEvery?: number;
}

/** How often the cursors in the store are looked at. */
const CURSORS_MS = 1_000;

export async function startClusterTraffic(options: ClusterTrafficOptions): Promise<ClusterTraffic> {
  const { cluster, users, perSecond, seed, listeners = 0, pollEvery } = options;
  const { gateways } = cluster;
  // Who asks over HTTP asks a process for that alone, where there is one.
  const apis = cluster.processes.filter(({ role }) => role === 'http-api').map(({ url }) => url);
  const [url] = [...apis, ...gateways] as [string];
  const witness = createWitness();
  const population = await createPopulation({
    url,
    users,
    devicesPerUser: 2,
    groups: 3,
    groupSize: Math.min(8, users),
    listeners,
    ...(pollEvery === undefined ? {} : { pollEvery }),
    seed,
    device: { witness, gateways },
  });
  const truth = openShardTruth(shardsOf(cluster.plan).map(({ url }) => url));
  await allLive(population);
  const timer = setInterval(() => population.act(), 1_000 / perSecond);
  const cursors = watchCursors(truth, population, witness);
  const guests = listeners === 0 ? undefined : guestsComeAndGo(population, apis.length > 0 ? apis : gateways);
  return {
    population,
    witness,
    moreAcked: (count, withinMs = 30_000) => more('ACKs', () => acked(witness), count, withinMs),
    moreChanged: (count, withinMs = 30_000) =>
      more('changes of membership', () => guests?.changes ?? 0, count, withinMs),
    async verdict(withinMs) {
      clearInterval(timer);
      await endGuests(guests, population);
      const waited = await verdictWithin({ population, witness, truth, withinMs });
      await cursors.stop();
      await Promise.all([population.stop(), truth.close()]);
      return { ...waited, sent: population.sent };
    },
  };
}

/** Whoever wrote in the hall looks at it, so that he is to be shown how many have what he wrote. */
async function endGuests(guests: Guests | undefined, { groups, devices }: Population): Promise<void> {
  if (guests === undefined) return;
  await guests.stop();
  const hall = groups.at(-1)?.chatId;
  if (hall !== undefined) for (const device of devices) device.open(hall);
}

/** A device that has been connected once: from there on its stored cursors only rise, and never above what it shows. */
async function allLive({ devices }: Population): Promise<void> {
  for (const until = performance.now() + 30_000; devices.some(({ status }) => status !== 'live'); ) {
    if (performance.now() > until) throw new Error('a device cannot connect before anything was broken');
    await sleep(20);
  }
}

async function more(what: string, now: () => number, count: number, withinMs: number): Promise<void> {
  const wanted = now() + count;
  for (const until = performance.now() + withinMs; now() < wanted; await sleep(20))
    if (performance.now() > until) throw new Error(`${wanted - now()} of ${count} ${what} are missing`);
}

/** Notes every move of a stored cursor that it finds, up or down. */
function watchCursors(truth: ShardTruth, { chats }: Population, witness: Witness): { stop(): Promise<void> } {
  const known = new Map<string, number>();
  let over = false;
  const watching = (async () => {
    while (!over) {
      await sleep(CURSORS_MS);
      // While a shard is away there is nothing to see.
      for (const { deviceId, chatId, seq } of await truth.cursors(chats).catch(() => [])) {
        const key = `${deviceId} ${chatId}`;
        if (known.get(key) === seq) continue;
        known.set(key, seq);
        witness.note({ kind: 'cursor-saved', deviceId, chatId, seq });
      }
    }
  })();
  return {
    async stop() {
      over = true;
      await watching;
    },
  };
}

const RETRY_MS = 500;

export interface WaitedVerdict extends Verdict {
  readonly settled: boolean;
  /** From the moment at which everybody was live, answered and quiet until the oracles missed nothing more. */
  readonly lateMs: number;
}

/**
 * Waits until everybody has everything, and has the oracles judge. Quiet is not the end: what waits for an engine that has just
 * come back, or for a lease to be renewed, is late and not lost, so what is missing is looked for again as long as there is time.
 * What may not happen at all counts at once.
 */
export async function verdictWithin(options: {
  readonly population: Population;
  readonly witness: Witness;
  readonly truth: ShardTruth;
  readonly withinMs: number;
}): Promise<WaitedVerdict> {
  const { population, witness, truth, withinMs } = options;
  const until = performance.now() + withinMs;
  const devices = population.devices.map(({ deviceId }) => deviceId);
  let settledAt: number | undefined;
  for (;;) {
    const settled = await population.settled(Math.max(1_000, until - performance.now()));
    const judgedAt = performance.now();
    if (settled) settledAt ??= judgedAt;
    // What was acknowledged or shown by now is in the store when it is read.
    const sightings = witness.sightings.slice();
    const verdict = judge(sightings, await truth.chats(population.chats), devices);
    const mayCome = verdict.violation?.phase === 'liveness' && performance.now() < until;
    if (!mayCome) return { ...verdict, settled, lateMs: judgedAt - (settledAt ?? judgedAt) };
    await sleep(RETRY_MS);
  }
}

function acked({ sightings }: Witness): number {
  return sightings.filter(({ observation }) => observation.kind === 'acked').length;
}

/** Kills a process as the kernel does when memory is short: nothing is finished, nobody is told. @returns when it is gone. */
export async function killNow(victim: ProcessIdentity): Promise<void> {
  process.kill(victim.pid, 'SIGKILL');
  while (isRunning(victim)) await sleep(10);
}
