import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import { createDevelopmentTokens } from '../gateway/development-tokens.ts';
import { createLogger } from '../observability/logger.ts';
import { developmentSecret } from '../server/development-secret.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';
import { startServer, type ParleyServer } from '../server/start-server.ts';
import { startTestCluster } from './test-cluster.ts';

/**
 * What a suite runs against: a server in this process on a fresh data folder, or a fresh cluster of processes on real
 * engines. The suites do not know which.
 */
export interface TestServer extends ParleyServer {
  /** Of a gateway; in a cluster another one each time that it is read. */
  readonly url: string;
  /** Of every process, gateways or not: for probes and figures. */
  readonly processUrls: readonly string[];
  /** Holds `development-secret`. */
  readonly dataDir: string;
  /** Drains, and removes the data folder. */
  stop(): Promise<void>;
}

/** The variable that makes every suite run against a cluster: `make test-services` sets it. */
const ON_CLUSTER = process.env['PARLEY_E2E_SYSTEM'] === 'cluster';

export function startTestServer(limits: Partial<Limits> = {}): Promise<TestServer> {
  return ON_CLUSTER ? startOnCluster(limits) : startEmbedded(limits);
}

/** Two regions with one process of each role: two devices rarely share a gateway, and half the chats are abroad. */
async function startOnCluster(limits: Partial<Limits>): Promise<TestServer> {
  const { gateways, processes, plan, stop } = await startTestCluster({ regions: 2, limits });
  const tokens = createDevelopmentTokens(developmentSecret(join(plan.folder, 'development-secret')));
  let asked = 0;
  return {
    get url() {
      return gateways[asked++ % gateways.length] as string;
    },
    processUrls: processes.map(({ url }) => url),
    tokens,
    dataDir: plan.folder,
    drain: stop,
    stop,
  };
}

async function startEmbedded(limits: Partial<Limits>): Promise<TestServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-test-'));
  const log = createLogger('error', 'test');
  const all: Limits = {
    ...DEFAULT_LIMITS,
    drainSpread: 100 * MILLISECOND,
    drainTimeout: 1 * SECOND,
    ...limits,
  };
  const server = await startServer({
    port: 0,
    host: '127.0.0.1',
    dataDir,
    limits: all,
    log,
    openStore: (metrics) => openEmbeddedStore({ dataDir, limits: all, log, metrics }),
    onBroken: () => {
      throw new Error('a machine broke an invariant; see the log above');
    },
  });
  return {
    ...server,
    processUrls: [server.url],
    dataDir,
    async stop() {
      await server.drain();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** @returns the sum of a metric over all processes. @param pattern its first group is the value. */
export async function sumOfMetric({ processUrls }: TestServer, pattern: RegExp): Promise<number> {
  const texts = await Promise.all(processUrls.map(async (url) => (await fetch(`${url}/metrics`)).text()));
  return texts.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? 0), 0);
}
