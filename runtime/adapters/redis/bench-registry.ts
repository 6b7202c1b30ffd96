import { setTimeout as sleep } from 'node:timers/promises';
import { deviceId, nodeId, userId, type UserId } from '../../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import type { SessionEntry } from '../../../core/contract/records.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import { openRedis, type RedisConnection } from './redis-connection.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';
import { openRedisSessionRegistry, sessionKey } from './session-registry-redis.ts';

export interface RegistryBenchResult {
  readonly claimsPerSecond: number;
  readonly renewalsPerSecond: number;
  /** Users looked up; each has one live session. */
  readonly lookupsPerSecond: number;
  readonly readingsPerSecond: number;
  /** From one call of 64 users to its answer, at a tenth of the load. */
  readonly lookupP50Ms: number;
  readonly lookupP99Ms: number;
  /** What a user with one device takes of the server's memory, as the server says; `lastSeen` of a week included. */
  readonly bytesPerSession: number;
}

const USERS = 20_000;
const CALLS_AT_ONCE = 4;
const PACED_USERS = 64;

/**
 * Measures the registry on a real Redis: one process with batches as large as a gateway's and a worker's. Its users are its own, and
 * are removed again.
 * @throws Error when Redis does not answer, or leaves a call unanswered.
 */
export async function benchRegistry(options: {
  readonly endpoint: RedisEndpoint;
  readonly seconds: number;
}): Promise<RegistryBenchResult> {
  const log = createLogger('silent', 'bench');
  const shared = { endpoint: options.endpoint, name: 'bench', log };
  const registry = openRedisSessionRegistry({ ...shared, region: 'bench', metrics: createMetrics(false) });
  const entries = Array.from({ length: USERS }, (_, i) =>
    entryOf(userId(`u_9${process.pid}${String(i).padStart(5, '0')}`)),
  );
  try {
    await answered(registry);
    const measured = await measure(registry, entries, options.seconds);
    return { ...measured, bytesPerSession: await memoryOf(shared, entries) };
  } finally {
    registry.close();
    await forget(shared, entries);
  }
}

async function measure(
  registry: SessionRegistry,
  entries: readonly SessionEntry[],
  seconds: number,
): Promise<Omit<RegistryBenchResult, 'bytesPerSession'>> {
  const { leaseTtl, renewBatch, lookupBatch } = DEFAULT_LIMITS;
  const claim = (batch: readonly SessionEntry[]): Promise<boolean> =>
    Promise.all(
      batch.map(
        (entry) =>
          new Promise<boolean>((resolve) =>
            registry.claim(entry, leaseTtl, ({ outcome }) => resolve(outcome === 'held')),
          ),
      ),
    ).then((held) => held.every(Boolean));
  const renew = (batch: readonly SessionEntry[]): Promise<boolean> =>
    new Promise((resolve) =>
      registry.renew(batch, leaseTtl, (outcomes) => resolve(outcomes?.includes(undefined) === false)),
    );
  const read = (batch: readonly SessionEntry[]): Promise<boolean> =>
    new Promise((resolve) =>
      registry.readPresence(batch.map(userOf), (readings) => resolve(readings.length === batch.length)),
    );
  const find = (batch: readonly SessionEntry[]): Promise<boolean> => lookUp(registry, batch);

  await saturate(entries, renewBatch, 0.5, claim); // warms up, and makes most of the entries
  const claimsPerSecond = await saturate(entries, renewBatch, seconds, claim);
  for (let at = 0; at < USERS; at += renewBatch) await renew(entries.slice(at, at + renewBatch)); // now all are there
  const renewalsPerSecond = await saturate(entries, renewBatch, seconds, renew);
  const lookupsPerSecond = await saturate(entries, lookupBatch, seconds, find);
  const readingsPerSecond = await saturate(entries, lookupBatch, seconds, read);
  const paced = await pace(registry, entries, seconds, lookupsPerSecond / 10);
  return { claimsPerSecond, renewalsPerSecond, lookupsPerSecond, readingsPerSecond, ...paced };
}

function lookUp(registry: SessionRegistry, batch: readonly SessionEntry[]): Promise<boolean> {
  return new Promise((resolve) =>
    registry.lookup(batch.map(userOf), (found) =>
      resolve(found?.every((user) => user?.sessions.length === 1) === true),
    ),
  );
}

/** Keeps some calls under way. @returns entries a second. */
async function saturate(
  entries: readonly SessionEntry[],
  batchSize: number,
  seconds: number,
  call: (batch: readonly SessionEntry[]) => Promise<boolean>,
): Promise<number> {
  const since = performance.now();
  let done = 0;
  let at = 0;
  async function caller(): Promise<void> {
    while (performance.now() - since < seconds * 1_000) {
      const batch = entries.slice(at, at + batchSize);
      at = at + batchSize >= entries.length ? 0 : at + batchSize;
      if (!(await call(batch))) throw new Error('redis left a call unanswered');
      done += batch.length;
    }
  }
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, caller));
  return (done / (performance.now() - since)) * 1_000;
}

async function pace(
  registry: SessionRegistry,
  entries: readonly SessionEntry[],
  seconds: number,
  perSecond: number,
): Promise<Pick<RegistryBenchResult, 'lookupP50Ms' | 'lookupP99Ms'>> {
  const tookMs: number[] = [];
  const calls = Math.max(1, Math.floor((perSecond * seconds) / PACED_USERS));
  const since = performance.now();
  const under: Promise<void>[] = [];
  for (let i = 0; i < calls; i++) {
    const due = since + (i * PACED_USERS * 1_000) / perSecond;
    if (due > performance.now()) await sleep(due - performance.now());
    const at = (i * PACED_USERS) % (entries.length - PACED_USERS);
    const asked = performance.now();
    under.push(
      lookUp(registry, entries.slice(at, at + PACED_USERS)).then((found) => {
        if (!found) throw new Error('redis left a look-up unanswered');
        tookMs.push(performance.now() - asked);
      }),
    );
  }
  await Promise.all(under);
  tookMs.sort((a, b) => a - b);
  const quantile = (q: number): number => tookMs[Math.floor(q * (tookMs.length - 1))] ?? 0;
  return { lookupP50Ms: quantile(0.5), lookupP99Ms: quantile(0.99) };
}

async function answered(registry: SessionRegistry): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await registry.ping();
      return;
    } catch (error) {
      if (tries === 20) throw error;
      await sleep(100);
    }
  }
}

interface Shared {
  readonly endpoint: RedisEndpoint;
  readonly name: string;
  readonly log: ReturnType<typeof createLogger>;
}

async function directly<Result>(
  options: Shared,
  run: (client: RedisConnection['client']) => Promise<Result>,
): Promise<Result> {
  const connection = openRedis({ ...options, callTimeoutMs: 5_000 });
  try {
    for (let tries = 0; tries < 100 && !connection.isWhole(); tries++) await sleep(50);
    return await run(connection.client);
  } finally {
    connection.close();
  }
}

const WEIGHED = 100;

function memoryOf(options: Shared, entries: readonly SessionEntry[]): Promise<number> {
  return directly(options, async (client) => {
    let bytes = 0;
    for (const { userId: user } of entries.slice(0, WEIGHED))
      bytes += Number(await client.memory('USAGE', sessionKey(user)));
    return bytes / WEIGHED;
  });
}

function forget(options: Shared, entries: readonly SessionEntry[]): Promise<void> {
  return directly(options, async (client) => {
    for (let at = 0; at < entries.length; at += 1_000)
      await Promise.all(
        entries.slice(at, at + 1_000).map((entry) => client.unlink(sessionKey(entry.userId))),
      );
  });
}

function entryOf(user: UserId): SessionEntry {
  return { userId: user, deviceId: deviceId('d_1'), gatewayId: nodeId('gateway-bench.1'), epoch: 1 };
}

function userOf(entry: SessionEntry): UserId {
  return entry.userId;
}
