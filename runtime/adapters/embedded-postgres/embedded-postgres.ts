import type { Logger } from 'pino';

export interface EmbeddedPostgresOptions {
  /** Folder of this server's data; created when missing. The cluster lives in its subfolder `postgres`. */
  readonly dataDir: string;
  readonly log: Logger;
}

/** A PostgreSQL that this process started and keeps running: restarted when it dies, until `stop`. */
export interface EmbeddedPostgres {
  /** A URL for `pg` and `psql`; the server listens on a Unix socket inside the data folder and on no port. */
  readonly connectionString: string;
  /** Of the postmaster; another after a restart. */
  pid(): number;
  /** Fast shutdown: waits for it, then gives the data folder free. Safe to call twice. */
  stop(): Promise<void>;
}
