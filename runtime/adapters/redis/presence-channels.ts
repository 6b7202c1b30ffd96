import type { Redis } from 'ioredis';
import { userId, type UserId } from '../../../core/contract/ids.ts';
import type { PresenceWatch } from '../../ports/session-registry.ts';
import { openRedis, type RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';

/** The channel of a user's hints, in the hash slot of the user's sessions. */
const PREFIX = 'parley:presence:{';

/** Channels in one SSUBSCRIBE. */
const CHANNELS_PER_COMMAND = 256;

export interface PresenceChannels {
  open(onHint: (userId: UserId) => void): PresenceWatch;
  close(): void;
}

/**
 * Hints that a user came or went, over sharded publish and subscribe: one subscription for each watched user, however many
 * watch. A subscriber has a connection of its own, made when somebody watches for the first time: a slow reader of
 * hints is cut off by Redis, and must not take the calls along. Hints get lost whenever that connection does.
 */
export function createPresenceChannels(options: Omit<RedisConnectionOptions, 'onReady'>): PresenceChannels {
  const watchers = new Map<UserId, Set<(userId: UserId) => void>>();
  let connection: RedisConnection | undefined;
  /** Changes of subscriptions since the last turn of the event loop: true to subscribe. */
  let changes = new Map<UserId, boolean>();
  let scheduled: NodeJS.Immediate | undefined;
  let closed = false;

  function connect(): RedisConnection {
    const opened = openRedis({ ...options, name: `${options.name}-hints` });
    opened.client.on('smessage', (channel: string) => {
      const user = userId(channel.slice(PREFIX.length, -1));
      for (const hint of watchers.get(user) ?? []) hint(user);
    });
    // A new connection knows no subscriptions.
    opened.client.on('ready', () => subscribe(opened, 'ssubscribe', [...watchers.keys()]));
    return opened;
  }

  function change(user: UserId, watched: boolean): void {
    if (closed) return;
    connection ??= connect();
    // Back to what the server knows.
    if (changes.get(user) === !watched) changes.delete(user);
    else changes.set(user, watched);
    scheduled ??= setImmediate(flush);
  }

  function flush(): void {
    scheduled = undefined;
    const changed = changes;
    changes = new Map();
    if (connection === undefined || connection.client.status !== 'ready') return; // All of them are sent once it is.
    const users = (watched: boolean): UserId[] =>
      [...changed].filter(([, wanted]) => wanted === watched).map(([user]) => user);
    subscribe(connection, 'ssubscribe', users(true));
    subscribe(connection, 'sunsubscribe', users(false));
  }

  return {
    open(onHint) {
      const watched = new Set<UserId>();
      function unwatch(user: UserId): void {
        if (!watched.delete(user)) return;
        const hints = watchers.get(user);
        hints?.delete(onHint);
        if (hints?.size !== 0) return;
        watchers.delete(user);
        change(user, false);
      }
      return {
        watch(user) {
          watched.add(user);
          const hints = watchers.get(user);
          if (hints !== undefined) {
            hints.add(onHint);
            return;
          }
          watchers.set(user, new Set([onHint]));
          change(user, true);
        },
        unwatch,
        close() {
          for (const user of watched) unwatch(user);
        },
      };
    },
    close() {
      closed = true;
      if (scheduled !== undefined) clearImmediate(scheduled);
      connection?.close();
    },
  };
}

/** A command that fails is not repeated: its hints are missing, as hints may. */
function subscribe(
  { client, isCluster }: RedisConnection,
  command: 'ssubscribe' | 'sunsubscribe',
  users: readonly UserId[],
): void {
  const step = isCluster ? 1 : CHANNELS_PER_COMMAND;
  for (let at = 0; at < users.length; at += step) {
    const channels = users.slice(at, at + step).map((user) => `${PREFIX}${user}}`);
    (client as Redis)[command](...channels).catch(() => undefined);
  }
}
