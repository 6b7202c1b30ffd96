import type { Logger } from 'pino';
import { nodeId, type NodeId } from '../../core/contract/ids.ts';
import type { Config } from '../config/load-config.ts';
import { createHalt } from '../driver/machine-driver.ts';
import { probeRoutes, type ReadinessCheck } from '../http-api/probe-routes.ts';
import { createMetrics } from '../observability/metrics.ts';
import { startPipeline, type Pipeline } from '../pipeline.ts';
import type { Stage } from '../pipeline-ports.ts';
import type { NodeRole } from '../ports/node-directory.ts';
import type { Recording } from '../recording/machine-recorder.ts';
import { deviceRoutes } from '../server/device-routes.ts';
import { endAfterDefect } from '../server/end-after-defect.ts';
import { newRun } from '../server/new-run.ts';
import { onceOnly } from '../server/once-only.ts';
import { openProcessHttp } from '../server/process-http.ts';
import { openEngines, type Engines } from './open-engines.ts';
import { openLinks, type RoleLinks } from './open-links.ts';
import { openMedia } from './open-media.ts';
import { openTokens } from './open-tokens.ts';
import { openTracer } from './open-tracer.ts';
import { stagesOf } from './role-stages.ts';
import { untilReachable } from './until-reachable.ts';

export interface RoleOptions {
  readonly role: NodeRole;
  readonly config: Config;
  readonly log: Logger;
  readonly recording?: Recording | undefined;
  /** A machine broke an invariant: everything has been cut off, the process must end. */
  readonly onBroken: () => void;
}

/** One process of a deployment. */
export interface RoleProcess {
  readonly url: string;
  readonly nodeId: NodeId;
  /** Where its links listen. */
  readonly address: string;
  /** Not ready at once; sends devices elsewhere, finishes what is under way, lets go of everything. */
  drain(): Promise<void>;
}

/**
 * Starts a role on the engines of the configuration. The port is taken first and answers probes from then on; a process
 * that cannot reach an engine of its own waits for it and says so at /readyz.
 * @throws StartError when a port cannot be had; StoreNotReadyError when a database would lose messages or lacks the schema.
 */
export async function startRole(options: RoleOptions): Promise<RoleProcess> {
  const { role, config, log, recording } = options;
  const { limits, region, placement } = config;
  const stages = stagesOf(role);
  const self = nodeId(`${config.nodeName}.${newRun()}`);
  const tracer = await openTracer(config, role, self);
  const metrics = createMetrics(true, tracer);
  const tokens = openTokens(config, metrics, log);
  const media = openMedia(config);
  let checks: readonly ReadinessCheck[] = [];
  let unavailable: string | undefined = 'this process is starting: try again';
  let pipeline: Pipeline | undefined;
  let engines: Engines | undefined;
  let links: RoleLinks | undefined;

  const http = await openProcessHttp({
    ...config.http,
    limits,
    metrics,
    log,
    verifier: tokens.verifier,
    probes: probeRoutes({ metrics, unavailable: () => unavailable, checks: () => checks }),
    unavailable: () => unavailable,
    next: `parley ${role} with another http.port (PARLEY_HTTP__PORT)`,
  });
  const halt = createHalt((machine, error) => {
    log.fatal(
      { err: error, machine },
      'an invariant broke; nothing is accepted or acknowledged from here on',
    );
    unavailable = 'this process stopped after a defect';
    endAfterDefect([pipeline?.stop(), http.close()], options.onBroken);
  });
  const close = async (): Promise<void> => {
    // Requests that are under way still have their engines.
    await http.close();
    await links?.close();
    await engines?.close();
  };

  try {
    links = await openLinks({ config, role, self, metrics, log });
    engines = await untilReachable(
      () => openEngines({ config, stages, metrics, log }),
      (reason) => {
        unavailable = `this process waits for an engine: ${reason}`;
        log.warn({ reason }, 'an engine does not answer; this process waits for it');
      },
    );
    const ports = { ...engines.ports, links: links.links };
    pipeline = await startPipeline({
      stages,
      ports,
      limits,
      placement,
      region,
      metrics,
      log,
      halt,
      recording,
      nodeOf: (stage: Stage) => (stage === stages[0] ? self : nodeId(`${self}/${stage}`)),
    });
    const { store } = engines.ports;
    if (store !== undefined) {
      const { development } = tokens;
      http.serve(
        deviceRoutes({ pipeline, store, media, limits, development, unavailable: () => unavailable }),
        pipeline,
      );
    } else http.serve([], pipeline);
    checks = [...engines.checks, ...links.checks];
    links.show();
    unavailable = undefined;
  } catch (error) {
    await pipeline?.stop();
    await close();
    throw error;
  }

  const drain = onceOnly(async () => {
    unavailable = 'this process is shutting down';
    await links?.leave();
    await pipeline?.drain();
    await close();
    await recording?.close();
    await tracer?.close();
  });
  return { url: http.url, nodeId: self, address: links.address, drain };
}
