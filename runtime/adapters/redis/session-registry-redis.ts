import type { Logger } from 'pino';
import { deviceId, nodeId, type UserId } from '../../../core/contract/ids.ts';
import type { SessionEntry } from '../../../core/contract/records.ts';
import { micros } from '../../../core/contract/time.ts';
import type { UserSessions } from '../../../core/delivery/delivery-event.ts';
import type { PresenceReading } from '../../../core/presence/presence-reading.ts';
import type { ClaimResult, RenewOutcome } from '../../../core/session/lease.ts';
import { loggableMessage } from '../../observability/loggable-error.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import { ALL_LEASE_SCRIPTS, LEASE_SCRIPTS, type LeaseScript } from './lease-scripts.ts';
import { createPresenceChannels } from './presence-channels.ts';
import { openRedis } from './redis-connection.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';
import { createScriptLane } from './script-lane.ts';
import { createServerChanges } from './server-changes.ts';

export interface RedisSessionRegistryOptions {
  readonly endpoint: RedisEndpoint;
  /** Of this registry's users; a label of the metrics. */
  readonly region: string;
  /** Names the connections in `CLIENT LIST`. */
  readonly name: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** A call that is not answered by then is answered as not answered. */
  readonly callTimeoutMs?: number;
  /** Entries and users that wait for an answer; beyond it calls are answered as not answered at once. */
  readonly maxInFlight?: number;
}

const CALL_TIMEOUT_MS = 1_000;
const MAX_IN_FLIGHT = 100_000;
const RENEW_OUTCOMES: readonly RenewOutcome[] = ['renewed', 'recreated', 'fenced'];

/**
 * The session registry on Redis: the rules run there as scripts (lease-scripts.ts), batches leave once a turn of the event
 * loop (script-lane.ts). It never waits for a connection to begin and never rejects.
 */
export function openRedisSessionRegistry(options: RedisSessionRegistryOptions): SessionRegistry {
  const { endpoint, region, name, metrics, log } = options;
  const callTimeoutMs = options.callTimeoutMs ?? CALL_TIMEOUT_MS;
  const changes = createServerChanges();
  const connection = openRedis({
    endpoint,
    name,
    callTimeoutMs,
    log,
    onReconnect: () => metrics.registryReconnects.inc({ region }),
    onReady(server) {
      for (const { text } of ALL_LEASE_SCRIPTS) server.script('LOAD', text).catch(() => undefined);
      changes.onReady(server);
    },
  });
  if (connection.isCluster) changes.followSlots(connection.client);
  const lane = createScriptLane({
    connection,
    callTimeoutMs,
    maxInFlight: options.maxInFlight ?? MAX_IN_FLIGHT,
    onFailure({ script }, reason, error) {
      metrics.registryFailures.inc({ region, kind: script.name, reason });
      if (error !== undefined)
        log.debug({ kind: script.name, reason: loggableMessage(error) }, 'a registry call failed');
    },
  });
  const channels = createPresenceChannels({ endpoint, name, callTimeoutMs, log });

  function ask(
    script: LeaseScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    answer: (replies: readonly unknown[]) => void,
  ): void {
    const since = performance.now();
    lane.submit({
      script,
      keys,
      args,
      done(replies) {
        metrics.registryCallSeconds.observe({ region, kind: script.name }, (performance.now() - since) / 1e3);
        answer(replies);
      },
    });
  }

  return {
    claim(entry, ttl, done) {
      ask(LEASE_SCRIPTS.claim, [sessionKey(entry.userId)], leaseArgs([entry], ttl), ([reply]) =>
        done(readClaim(entry, reply)),
      );
    },
    renew(entries, ttl, done) {
      const keys = entries.map((entry) => sessionKey(entry.userId));
      ask(LEASE_SCRIPTS.renew, keys, leaseArgs(entries, ttl), (replies) =>
        done(replies.map((reply) => RENEW_OUTCOMES[reply as number])),
      );
    },
    release({ userId, deviceId: device, epoch }) {
      ask(LEASE_SCRIPTS.release, [sessionKey(userId)], [device, epoch], () => undefined);
    },
    lookup(users, done) {
      ask(LEASE_SCRIPTS.lookup, users.map(sessionKey), [], (replies) =>
        done(replies.map((reply, i) => readSessions(users[i] as UserId, reply))),
      );
    },
    markMissed(keys, done) {
      const devices = keys.map((key) => key.deviceId);
      ask(
        LEASE_SCRIPTS.markMissed,
        keys.map((key) => sessionKey(key.userId)),
        devices,
        (replies) => done(!replies.includes(undefined)),
      );
    },
    readPresence(users, done) {
      ask(LEASE_SCRIPTS.presence, users.map(sessionKey), [], (replies) => done(readPresence(users, replies)));
    },
    watchPresence: (onHint) => channels.open(onHint),
    onChanged: (listener) => changes.listen(listener),
    async ping() {
      // Through a script, since what refuses the scripts is of no use. In a cluster it asks one node; of the others it is enough
      // that they are connected.
      await new Promise<void>((resolve, reject) => {
        ask(LEASE_SCRIPTS.presence, [sessionKey('ping' as UserId)], [], ([reply]) => {
          if (reply !== undefined && connection.isWhole()) resolve();
          else reject(new Error(`redis of region ${region} does not answer`));
        });
      });
    },
    close() {
      lane.close();
      channels.close();
      connection.close();
    },
  };
}

/** A user's hash; the braces make it the hash slot. */
export function sessionKey(user: UserId): string {
  return `parley:session:{${user}}`;
}

function leaseArgs(entries: readonly SessionEntry[], ttl: number): (string | number)[] {
  const args: (string | number)[] = [];
  for (const { deviceId: device, epoch, gatewayId } of entries) args.push(device, epoch, ttl, gatewayId);
  return args;
}

function readClaim(entry: SessionEntry, reply: unknown): ClaimResult {
  if (!Array.isArray(reply)) return { outcome: 'failed' };
  const [fenced, epoch, gatewayId] = reply as [number, number | undefined, string | undefined];
  if (fenced === 1) return { outcome: 'fenced', epoch: epoch as number };
  if (epoch === undefined) return { outcome: 'held', previous: undefined };
  const { userId, deviceId: device } = entry;
  const previous = { userId, deviceId: device, gatewayId: nodeId(gatewayId as string), epoch };
  return { outcome: 'held', previous };
}

function readSessions(userId: UserId, reply: unknown): UserSessions | undefined {
  if (!Array.isArray(reply)) return undefined;
  const sessions: SessionEntry[] = [];
  for (let i = 0; i < reply.length; i += 3) {
    sessions.push({
      userId,
      deviceId: deviceId(reply[i] as string),
      gatewayId: nodeId(reply[i + 2] as string),
      epoch: reply[i + 1] as number,
    });
  }
  return { userId, sessions };
}

function readPresence(users: readonly UserId[], replies: readonly unknown[]): PresenceReading[] {
  const readings: PresenceReading[] = [];
  replies.forEach((seen, i) => {
    if (typeof seen !== 'number') return;
    const userId = users[i] as UserId;
    readings.push({ userId, online: seen < 0, lastSeen: seen > 0 ? micros(seen) : undefined });
  });
  return readings;
}
