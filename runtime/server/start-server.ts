import { join } from 'node:path';
import type { Logger } from 'pino';
import { nodeId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import { onePlacement } from '../../core/contract/placement.ts';
import { createMemoryDeliveryQueue } from '../adapters/memory/delivery-queue-memory.ts';
import { createMemoryNodeLinks } from '../adapters/memory/node-links-memory.ts';
import { createMemorySessionRegistry } from '../adapters/memory/session-registry-memory.ts';
import { createHalt, systemClock } from '../driver/machine-driver.ts';
import { createDevelopmentTokens, type DevelopmentTokens } from '../gateway/development-tokens.ts';
import { probeRoutes, type ReadinessCheck } from '../http-api/probe-routes.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { startPipeline, type Pipeline } from '../pipeline.ts';
import { STAGES } from '../pipeline-ports.ts';
import type { Recording } from '../recording/machine-recorder.ts';
import { deviceRoutes } from './device-routes.ts';
import { developmentSecret } from './development-secret.ts';
import { endAfterDefect } from './end-after-defect.ts';
import type { EmbeddedStore } from './open-embedded-store.ts';
import { openMediaFolder } from './open-media-folder.ts';
import { newRun } from './new-run.ts';
import { onceOnly } from './once-only.ts';
import { openProcessHttp } from './process-http.ts';

export interface ServerOptions {
  /** 0 for a free one. */
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly limits: Limits;
  readonly log: Logger;
  /** Opens the store once the port is ours. Its `close` also ends whatever the store runs on. */
  readonly openStore: (metrics: Metrics) => Promise<EmbeddedStore>;
  readonly recording?: Recording | undefined;
  /** A machine broke an invariant: everything has been cut off, the process must end. */
  readonly onBroken: () => void;
}

/** A whole Parley in this process, in development mode. */
export interface ParleyServer {
  readonly url: string;
  readonly tokens: DevelopmentTokens;
  /** Sends devices elsewhere, finishes what is under way, closes the store and the port. */
  drain(): Promise<void>;
}

/** The one region of a single process. */
const REGION = 'local';

/**
 * Starts every stage. The port is taken first, so that a second server fails at once and leaves no database behind;
 * until the store is open, requests are answered `unavailable`.
 * @throws StartError when the port or the data folder cannot be had.
 */
export async function startServer(options: ServerOptions): Promise<ParleyServer> {
  const { limits, log } = options;
  const metrics = createMetrics(true);
  const tokens = createDevelopmentTokens(developmentSecret(join(options.dataDir, 'development-secret')));
  let pipeline: Pipeline | undefined;
  let checks: readonly ReadinessCheck[] = [];
  let unavailable: string | undefined = 'Parley is starting: try again';

  const http = await openProcessHttp({
    ...options,
    verifier: tokens,
    metrics,
    probes: probeRoutes({ metrics, unavailable: () => unavailable, checks: () => checks }),
    unavailable: () => unavailable,
    next: 'PORT=8081 make run',
  });
  const halt = createHalt((machine, error) => {
    log.fatal(
      { err: error, machine },
      'an invariant broke; nothing is accepted or acknowledged from here on',
    );
    unavailable = 'Parley stopped after a defect';
    endAfterDefect([pipeline?.stop(), http.close()], options.onBroken);
  });

  try {
    const store = await options.openStore(metrics);
    const ports = {
      store,
      outboxes: [store.outbox],
      links: createMemoryNodeLinks(),
      registry: createMemorySessionRegistry(systemClock),
      queue: createMemoryDeliveryQueue(),
    };
    // Unique for each run: what an earlier run said under its own name is not ours.
    const run = newRun();
    pipeline = await startPipeline({
      stages: STAGES,
      nodeOf: (stage) => nodeId(`${stage}-${run}`),
      ports,
      limits,
      placement: onePlacement(REGION),
      region: REGION,
      metrics,
      log,
      halt,
      recording: options.recording,
    });
    checks = [{ name: 'the message store', needed: 'vital', check: () => store.ping() }];
    http.serve(
      deviceRoutes({
        pipeline,
        store,
        limits,
        media: openMediaFolder(join(options.dataDir, 'media'), limits),
        development: tokens,
        unavailable: () => unavailable,
      }),
      pipeline,
    );
    unavailable = undefined;
    const drain = onceOnly(async () => {
      unavailable = 'this server is shutting down: connect again';
      await pipeline?.drain();
      await http.close();
      ports.queue.close();
      ports.registry.close();
      await store.close();
      await options.recording?.close();
    });
    return { url: http.url, tokens, drain };
  } catch (error) {
    await pipeline?.stop();
    await http.close();
    throw error;
  }
}
