import { appendFileSync, chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import {
  type EmbeddedPostgres,
  startEmbeddedPostgres,
} from '../../adapters/embedded-postgres/embedded-postgres.ts';
import { until } from '../../adapters/postgres/testing/fault-rig.ts';

type Sql = (text: string) => Promise<Record<string, unknown>[]>;

/** The name under which the primary knows it. */
export const STANDBY = 'standby';

/** A server that follows another, from a copy that was made of it while it worked. */
export class Standby {
  readonly #postgres: EmbeddedPostgres;
  readonly #folder: string;

  private constructor(postgres: EmbeddedPostgres, folder: string) {
    this.#postgres = postgres;
    this.#folder = folder;
  }

  /**
   * Settles when it has all that the primary has, and gets what is new.
   * @param primary asks the primary. @param data its folder, with its socket. @param settings those of the primary.
   */
  static async follow(
    primary: Sql,
    data: string,
    settings: Readonly<Record<string, string>>,
  ): Promise<Standby> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-standby-'));
    const copy = join(folder, 'postgres');
    // One session from the beginning of the copy to its end: `primary` is one.
    await primary("SELECT pg_backup_start('standby', true)");
    cpSync(data, copy, { recursive: true, filter: (path) => !UNCOPIED.test(basename(path)) });
    const [label] = await primary('SELECT labelfile FROM pg_backup_stop(false)');
    writeFileSync(join(copy, 'backup_label'), String(label?.['labelfile']));
    writeFileSync(join(copy, 'standby.signal'), '');
    // PostgreSQL wants its folder for itself, and must find its way to the primary's socket.
    chmodSync(copy, 0o700);
    chmodSync(dirname(data), 0o711);
    const conninfo = `host=${data} port=5432 user=parley application_name=${STANDBY}`;
    // In a file, so that it can be changed while it runs.
    appendFileSync(join(copy, 'postgresql.auto.conf'), `primary_conninfo = '${conninfo}'\n`);
    const log = pino({ level: 'silent' });
    const postgres = await startEmbeddedPostgres({ dataDir: folder, log, settings });
    await until(
      async () => (await primary("SELECT FROM pg_stat_replication WHERE state = 'streaming'")).length > 0,
    );
    return new Standby(postgres, folder);
  }

  /** It gets nothing any more of what the primary commits. */
  async fallBehind(primary: Sql): Promise<void> {
    await this.#ask("ALTER SYSTEM SET primary_conninfo = ''");
    await this.#ask('SELECT pg_reload_conf()');
    await until(async () => (await primary('SELECT FROM pg_stat_replication')).length === 0);
  }

  /** Makes it a primary. @returns the path of its socket. */
  async promote(): Promise<string> {
    await this.#ask('SELECT pg_promote(true, 30)');
    const { host } = new pg.Client({ connectionString: this.#postgres.connectionString });
    return `${host}/.s.PGSQL.5432`;
  }

  async stop(): Promise<void> {
    await this.#postgres.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.#postgres.connectionString });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }
}

/** What belongs to the running server, and sockets, which cannot be copied. */
const UNCOPIED = /^(?:postmaster\.(?:pid|opts)|\.s\.PGSQL\..*)$/;
