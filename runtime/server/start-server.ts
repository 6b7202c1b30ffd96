import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Limits } from '../../core/contract/limits.ts';
import { createHalt } from '../driver/machine-driver.ts';
import { createDevelopmentTokens, type DevelopmentTokens } from '../gateway/development-tokens.ts';
import { pollRoutes } from '../gateway/poll-routes.ts';
import { serveUpgrades } from '../gateway/upgrade.ts';
import { chatRoutes } from '../http-api/chat-routes.ts';
import { developmentRoutes } from '../http-api/development-routes.ts';
import { createHttpServer, type HttpApi } from '../http-api/http-server.ts';
import { probeRoutes } from '../http-api/probe-routes.ts';
import { createMetrics, type Metrics } from '../observability/metrics.ts';
import { startPipeline, type Pipeline } from '../pipeline.ts';
import type { MessageStore } from '../ports/message-store.ts';
import { developmentSecret } from './development-secret.ts';
import { StartError } from './start-error.ts';

export interface ServerOptions {
  /** 0 for a free one. */
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly limits: Limits;
  readonly log: Logger;
  /** Opens the store once the port is ours. Its `close` also ends whatever the store runs on. */
  readonly openStore: (metrics: Metrics) => Promise<MessageStore>;
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

/**
 * Starts every role. The port is taken first, so that a second server fails at once and leaves no database behind;
 * until the store is open, requests are answered `unavailable`.
 * @throws StartError when the port or the data folder cannot be had.
 */
export async function startServer(options: ServerOptions): Promise<ParleyServer> {
  const { limits, log } = options;
  const metrics = createMetrics(true);
  const tokens = createDevelopmentTokens(developmentSecret(options.dataDir));
  let api: HttpApi | undefined;
  let pipeline: Pipeline | undefined;
  let unavailable: string | undefined = 'Parley is starting: try again';

  const http = createHttpServer({ metrics, log, api: () => api });
  serveUpgrades(http, {
    limits,
    verifier: tokens,
    metrics,
    log,
    unavailable: () => unavailable,
    accept: (accepted) => pipeline?.accept(accepted),
  });
  const url = await listen(http, options.host, options.port);
  const halt = createHalt((machine, error) => {
    log.fatal(
      { err: error, machine },
      'an invariant broke; nothing is accepted or acknowledged from here on',
    );
    unavailable = 'Parley stopped after a defect';
    pipeline?.stop();
    closeHttp(http).then(options.onBroken, options.onBroken);
  });

  try {
    const store = await options.openStore(metrics);
    pipeline = await startPipeline({ store, limits, region: 'local', metrics, log, halt });
    const routes = [
      ...pollRoutes({ polls: pipeline.polls, limits, unavailable: () => unavailable }),
      ...chatRoutes({ store, service: pipeline.service, limits }),
      ...developmentRoutes(tokens),
      ...probeRoutes({ metrics, unavailable: () => unavailable, ping: () => store.ping() }),
    ];
    api = { routes, verifier: tokens };
    unavailable = undefined;
    const drain = onceOnly(async () => {
      unavailable = 'this server is shutting down: connect again';
      await pipeline?.drain();
      await closeHttp(http);
      await store.close();
    });
    return { url, tokens, drain };
  } catch (error) {
    pipeline?.stop();
    await closeHttp(http);
    throw error;
  }
}

function listen(http: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
    http.listen({ port, host, backlog: 4_096 }, () => {
      const { port: actual } = http.address() as AddressInfo;
      resolve(`http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${actual}`);
    });
  });
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    return new StartError(
      'port-in-use',
      `port ${port} of ${host} is in use by another process`,
      'PORT=8081 make run',
    );
  }
  if (error.code === 'EACCES') {
    return new StartError(
      'port-not-allowed',
      `this user may not listen on port ${port}`,
      'PORT=8080 make run',
    );
  }
  return error;
}

/** Ends requests that are under way within a second, idle connections at once. */
function closeHttp(http: Server): Promise<void> {
  return new Promise((resolve) => {
    http.close(() => resolve());
    http.closeIdleConnections();
    setTimeout(() => http.closeAllConnections(), 1_000).unref();
  });
}

function onceOnly(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}
