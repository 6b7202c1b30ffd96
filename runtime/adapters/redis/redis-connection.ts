import { Cluster, Redis } from 'ioredis';
import type { Logger } from 'pino';
import { loggableMessage } from '../../observability/loggable-error.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';

/**
 * A connection to one Redis or Redis Cluster. Commands fail at once while it is away: nothing is queued and nothing is sent
 * twice, since whoever called decides whether to ask again. It reconnects for ever, with jittered backoff up to a bound.
 */
export interface RedisConnection {
  readonly client: Redis | Cluster;
  /** A cluster takes commands whose keys share a hash slot; a single server takes any. */
  readonly isCluster: boolean;
  /** The servers that are connected and take writes. */
  servers(): readonly Redis[];
  /** Every server that is known is connected: until then some keys are answered and others are not. */
  isWhole(): boolean;
  close(): void;
}

export interface RedisConnectionOptions {
  readonly endpoint: RedisEndpoint;
  /** Names the connection in `CLIENT LIST`. */
  readonly name: string;
  /** Milliseconds; a connection that owes an answer for twice as long is given up and made anew. */
  readonly callTimeoutMs: number;
  readonly log: Logger;
  /** A server can be talked to: at first, and again whenever a connection was made anew. */
  readonly onReady?: (server: Redis) => void;
  readonly onReconnect?: () => void;
}

const RECONNECT_BASE_MS = 50;
const RECONNECT_MAX_MS = 2_000;
const CONNECT_TIMEOUT_MS = 5_000;

export function openRedis(options: RedisConnectionOptions): RedisConnection {
  const { endpoint } = options;
  return endpoint.kind === 'single' ? openSingle(endpoint, options) : openCluster(endpoint, options);
}

function openSingle(
  endpoint: Extract<RedisEndpoint, { kind: 'single' }>,
  options: RedisConnectionOptions,
): RedisConnection {
  let closing = false;
  const client = new Redis({
    ...serverOptions(options),
    host: endpoint.host,
    port: endpoint.port,
    db: endpoint.database ?? 0,
    enableOfflineQueue: false,
    retryStrategy: (times: number) => {
      options.onReconnect?.();
      return fullJitter(times, RECONNECT_BASE_MS, RECONNECT_MAX_MS);
    },
  });
  watchServer(client, options, () => closing);
  return {
    client,
    isCluster: false,
    servers: () => (client.status === 'ready' ? [client] : []),
    isWhole: () => client.status === 'ready',
    close() {
      closing = true;
      client.disconnect();
    },
  };
}

function openCluster(
  endpoint: Extract<RedisEndpoint, { kind: 'cluster' }>,
  options: RedisConnectionOptions,
): RedisConnection {
  const { log } = options;
  let closing = false;
  const client = new Cluster([...endpoint.nodes], {
    redisOptions: serverOptions(options),
    enableOfflineQueue: false,
    scaleReads: 'master',
    shardedSubscribers: true,
    // A command that may have been carried out is not sent again.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    clusterRetryStrategy: (times: number) => {
      options.onReconnect?.();
      return fullJitter(times, RECONNECT_BASE_MS, RECONNECT_MAX_MS);
    },
  });
  client.on('error', (error: Error) => log.debug({ reason: loggableMessage(error) }, 'redis cluster error'));
  client.on('+node', (server: Redis) => {
    if (server.options.readOnly === true) return;
    watchServer(server, options, () => closing);
    // At once rather than with the first command: until then every other command would fail.
    if (server.status === 'wait') server.connect().catch(() => undefined);
  });
  return {
    client,
    isCluster: true,
    servers: () => client.nodes('master').filter((server) => server.status === 'ready'),
    isWhole: () =>
      client.status === 'ready' && client.nodes('master').every((server) => server.status === 'ready'),
    close() {
      closing = true;
      client.disconnect();
    },
  };
}

function serverOptions({ endpoint, name, callTimeoutMs }: RedisConnectionOptions) {
  const { username, password, tls } = endpoint;
  return {
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Half-open connections swallow commands without an error.
    socketTimeout: 2 * callTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // The address leads to a demoted primary: its name may lead to the new one by now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === true ? { tls: {} } : {}),
  };
}

function watchServer(
  server: Redis,
  { log, onReady }: RedisConnectionOptions,
  isClosing: () => boolean,
): void {
  const address = `${server.options.host}:${server.options.port}`;
  let lost = false;
  server.on('error', (error: Error) => log.debug({ address, reason: loggableMessage(error) }, 'redis error'));
  server.on('close', () => {
    if (!lost && !isClosing()) log.warn({ address }, 'the connection to redis is lost');
    lost = true;
  });
  server.on('ready', () => {
    if (lost) log.info({ address }, 'the connection to redis is back');
    lost = false;
    onReady?.(server);
  });
}
