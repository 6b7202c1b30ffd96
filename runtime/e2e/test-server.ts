import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import { createLogger } from '../observability/logger.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';
import { startServer, type ParleyServer } from '../server/start-server.ts';

/** A server in this process on a fresh data folder: for what needs no process to be killed. */
export interface TestServer extends ParleyServer {
  readonly dataDir: string;
  /** Drains, and removes the data folder. */
  stop(): Promise<void>;
}

export async function startTestServer(limits: Partial<Limits> = {}): Promise<TestServer> {
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
    dataDir,
    async stop() {
      await server.drain();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
