import { totalmem } from 'node:os';

const MIB = 1024 * 1024;

/**
 * Settings of the embedded PostgreSQL, given on its command line so that a data folder holds data and no configuration.
 * Durability is the default one, written out because the promise hangs on it; the rest is for one server on one machine.
 * @param overrides settings by name, which win.
 */
export function postgresSettings(overrides: Readonly<Record<string, string>> = {}): readonly string[] {
  const sharedMib = Math.round(Math.min(512 * MIB, Math.max(128 * MIB, totalmem() / 16)) / MIB);
  const settings: Record<string, string> = {
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',

    // A socket in the data folder: no port that could be taken, and nobody but the folder's owner comes in.
    listen_addresses: '',
    unix_socket_directories: '.',
    unix_socket_permissions: '0700',
    port: String(SOCKET_PORT),
    max_connections: '100',

    shared_buffers: `${sharedMib}MB`,
    // Commits come in groups of up to some megabytes, and recycled segments are cheaper to write than new ones.
    wal_buffers: '16MB',
    min_wal_size: '256MB',
    max_wal_size: '2GB',
    checkpoint_timeout: '10min',
    // Messages are read in small pieces by index; workers and compilation cost more than they give.
    max_parallel_workers_per_gather: '0',
    jit: 'off',
    io_method: 'sync',
    max_wal_senders: '0',
    wal_level: 'minimal',
    // The outbox fills and empties all the time.
    autovacuum_naptime: '15s',

    log_checkpoints: 'off',
    // Without DETAIL, which holds the row that failed, ciphertext and all.
    log_error_verbosity: 'terse',
    log_line_prefix: '%m [%p] ',
    log_timezone: 'UTC',
    ...overrides,
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Part of the socket's name only. */
export const SOCKET_PORT = 5432;
