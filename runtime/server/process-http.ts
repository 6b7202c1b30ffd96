import type { Logger } from 'pino';
import type { Limits } from '../../core/contract/limits.ts';
import { serveUpgrades } from '../gateway/upgrade.ts';
import { createHttpServer, type HttpApi } from '../http-api/http-server.ts';
import { createRequestAdmission } from '../http-api/request-admission.ts';
import type { Route } from '../http-api/router.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { TokenVerifier } from '../ports/token-verifier.ts';
import type { Pipeline } from '../pipeline.ts';
import { closeHttp, listenHttp } from './http-listener.ts';

export interface ProcessHttpOptions {
  readonly host: string;
  readonly port: number;
  /** Whether a proxy in front of this process says who its peers are. */
  readonly trustProxy?: boolean;
  readonly allowedOrigins?: readonly string[];
  readonly limits: Limits;
  readonly verifier: TokenVerifier;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Answered from the beginning, also while the rest starts: probes and figures. */
  readonly probes: readonly Route[];
  /** Why this process takes no work now, or undefined. */
  readonly unavailable: () => string | undefined;
  /** A command that would use another port. */
  readonly next: string;
}

/** The HTTP side of a process: its port is taken first, so that a second process fails before it opens anything. */
export interface ProcessHttp {
  readonly url: string;
  /** From here on these are answered, and devices connect to the pipeline's gateway if it has one. */
  serve(routes: readonly Route[], pipeline: Pipeline): void;
  close(): Promise<void>;
}

/** @throws StartError when the port cannot be had. */
export async function openProcessHttp(options: ProcessHttpOptions): Promise<ProcessHttp> {
  const {
    host,
    port,
    verifier,
    probes,
    metrics,
    log,
    limits,
    trustProxy = false,
    allowedOrigins = [],
  } = options;
  let pipeline: Pipeline | undefined;
  let api: HttpApi = { routes: probes, verifier, starting: true };

  const admission = createRequestAdmission(limits);
  const http = createHttpServer({ metrics, log, admission, trustProxy, allowedOrigins, api: () => api });
  const upgrades = serveUpgrades(http, {
    ...options,
    admission,
    trustProxy,
    unavailable: () =>
      options.unavailable() ??
      (pipeline?.gateway === undefined ? 'this process takes no devices: connect to a gateway' : undefined),
    accept: (accepted) => pipeline?.gateway?.accept(accepted),
  });
  const url = await listenHttp(http, host, port, { next: options.next, log });
  return {
    url,
    serve(routes, started) {
      pipeline = started;
      api = { routes: [...routes, ...probes], verifier, starting: false };
    },
    close: () => closeHttp(http, () => upgrades.cutAll()),
  };
}
