import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning, type ProcessIdentity } from '../adapters/embedded-postgres/process-identity.ts';
import { createPopulation, type Population } from './population.ts';
import { readHttpTruth } from './store-truth.ts';
import { judge, type Verdict } from './verdict.ts';
import { createWitness, type Witness } from './witness.ts';

/** People who go on writing through all gateways while something is broken behind them, and what their devices saw. */
export interface ClusterTraffic {
  readonly population: Population;
  /**
   * Waits until so many more sends are acknowledged than before: what was broken works again.
   * @throws Error when they are not in time.
   */
  moreAcked(count: number, withinMs?: number): Promise<void>;
  /** Ends the writing, waits until everybody has everything, and has the oracles judge. */
  verdict(withinMs: number): Promise<Verdict & { readonly settled: boolean; readonly sent: number }>;
}

export interface ClusterTrafficOptions {
  readonly gateways: readonly string[];
  readonly users: number;
  readonly perSecond: number;
  readonly seed: number;
}

export async function startClusterTraffic(options: ClusterTrafficOptions): Promise<ClusterTraffic> {
  const { gateways, users, perSecond, seed } = options;
  const [url] = gateways as [string];
  const witness = createWitness();
  const population = await createPopulation({
    url,
    users,
    devicesPerUser: 2,
    groups: 3,
    groupSize: Math.min(8, users),
    seed,
    device: { witness, gateways },
  });
  const timer = setInterval(() => population.act(), 1_000 / perSecond);
  return {
    population,
    async moreAcked(count, withinMs = 30_000) {
      const wanted = acked(witness) + count;
      for (const until = performance.now() + withinMs; acked(witness) < wanted; await sleep(20))
        if (performance.now() > until)
          throw new Error(`${wanted - acked(witness)} of ${count} ACKs are missing`);
    },
    async verdict(withinMs) {
      clearInterval(timer);
      const until = performance.now() + withinMs;
      const devices = population.devices.map(({ deviceId }) => deviceId);
      for (;;) {
        const settled = await population.settled(Math.max(1_000, until - performance.now()));
        const sightings = witness.sightings.slice();
        const truth = await readHttpTruth(population.devices, population.chats, sightings);
        const verdict = judge(sightings, truth, devices);
        // Something may still be on its way: engines that have just come back are slow, and what is late is not lost.
        const mayCome = verdict.violation?.phase === 'liveness' && performance.now() < until;
        if (mayCome) {
          await sleep(RETRY_MS);
          continue;
        }
        await population.stop();
        return { ...verdict, settled, sent: population.sent };
      }
    },
  };
}

const RETRY_MS = 1_000;

function acked({ sightings }: Witness): number {
  return sightings.filter(({ observation }) => observation.kind === 'acked').length;
}

/** Kills a process as the kernel does when memory is short: nothing is finished, nobody is told. @returns when it is gone. */
export async function killNow(victim: ProcessIdentity): Promise<void> {
  process.kill(victim.pid, 'SIGKILL');
  while (isRunning(victim)) await sleep(10);
}
