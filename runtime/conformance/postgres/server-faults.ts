import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import pg from 'pg';
import { until } from '../../adapters/postgres/testing/fault-rig.ts';
import type { PostgresRig } from './postgres-rig.ts';
import { Standby, STANDBY } from './standby.ts';

const OURS = "application_name LIKE 'parley %'";

/** What scripts do to PostgreSQL itself, and how it is undone. */
export class ServerFaults {
  readonly #rig: PostgresRig;
  #blocker: pg.Client | undefined;
  #crowd: pg.Client[] = [];
  #awaitsReplica = false;
  #standby: Standby | undefined;
  #hasTrouble = false;

  constructor(rig: PostgresRig) {
    this.#rig = rig;
  }

  async crash(): Promise<void> {
    const { postgres } = this.#rig.database;
    const before = postgres.pid();
    process.kill(before, 'SIGKILL');
    await until(async () => postgres.pid() !== before);
    await until(() =>
      this.#rig.sql('SELECT 1').then(
        () => true,
        () => false,
      ),
    );
    await this.#rig.served();
  }

  async endSessions(): Promise<void> {
    await this.#rig.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS}`);
    await this.#rig.served();
  }

  async follow(synchronous: boolean): Promise<void> {
    const { settings, socketPath } = this.#rig;
    const folder = realpathSync(dirname(socketPath));
    this.#standby = await Standby.follow((text) => this.#rig.sql(text), folder, settings);
    if (!synchronous) return;
    this.#awaitsReplica = true;
    await this.#rig.sql(`ALTER SYSTEM SET synchronous_standby_names = '${STANDBY}'`);
    await this.#rig.sql('SELECT pg_reload_conf()');
    const inStep = "SELECT FROM pg_stat_replication WHERE sync_state = 'sync'";
    await until(async () => (await this.#rig.sql(inStep)).length > 0);
  }

  async fallBehind(): Promise<void> {
    await this.#standby?.fallBehind((text) => this.#rig.sql(text));
  }

  /** The primary is started again by whoever looks after it, and nobody asks it any more. */
  async failOver(): Promise<void> {
    const { postgres } = this.#rig.database;
    process.kill(postgres.pid(), 'SIGKILL');
    this.#lead(await this.#standby?.promote());
    await this.#rig.served();
  }

  /** @param socketPath of who is the primary from now on; undefined: who always was. */
  #lead(socketPath: string | undefined): void {
    for (const { proxy } of Object.values(this.#rig.callers)) {
      proxy.socketPath = socketPath ?? this.#rig.socketPath;
      proxy.cutAll();
    }
  }

  /** Far behind the last day of any script. */
  async dropContents(): Promise<void> {
    await this.#rig.sql('SELECT drop_bodies_before(30000)');
  }

  async block(chat: string): Promise<void> {
    this.#blocker = await this.#rig.session();
    await this.#blocker.query('BEGIN');
    await this.#lock(this.#blocker, chat);
  }

  async unblock(): Promise<void> {
    const blocker = this.#blocker;
    this.#blocker = undefined;
    await blocker?.query('COMMIT');
    await blocker?.end();
  }

  /** s1 is cut off, and before it comes back somebody else has every connection there is. */
  async exhaust(): Promise<void> {
    const { proxy } = this.#rig.callers.s1;
    const { port } = proxy;
    await proxy.close();
    for (let isFull = false; !isFull; ) {
      try {
        this.#crowd.push(await this.#rig.session());
      } catch (error) {
        // too_many_connections
        if (!(error instanceof pg.DatabaseError && error.code === '53300')) throw error;
        isFull = true;
      }
    }
    await proxy.listen(port);
  }

  async relax(): Promise<void> {
    await Promise.all(this.#crowd.splice(0).map((client) => client.end()));
    await this.#rig.served();
  }

  /** A sequence counts also what is rolled back. */
  async conflicts(state: string, times: number): Promise<void> {
    this.#hasTrouble = true;
    await this.#rig.sql(`
      CREATE SEQUENCE troubles;
      CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF nextval('troubles') <= ${times} THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '${state}'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER trouble BEFORE INSERT ON messages FOR EACH ROW EXECUTE FUNCTION trouble()`);
  }

  /** Locks `second`, has `work` lock `first` and wait, and then wants `first`: somebody must give way. */
  async deadlock<Result>(first: string, second: string, work: () => Promise<Result>): Promise<Result> {
    const rival = await this.#rig.session();
    try {
      await rival.query('BEGIN');
      await this.#lock(rival, second);
      const result = work();
      await this.waiting();
      await this.#lock(rival, first).catch((error: unknown) => {
        // deadlock_detected: it was the rival who gave way.
        if (!(error instanceof pg.DatabaseError && error.code === '40P01')) throw error;
      });
      await rival.query('ROLLBACK');
      return await result;
    } finally {
      await rival.end();
    }
  }

  /** Some caller's transaction waits for a lock. */
  waiting(): Promise<void> {
    return this.#seen("wait_event_type = 'Lock'");
  }

  /** Some caller's transaction has done everything but its COMMIT. */
  uncommitted(): Promise<void> {
    return this.#seen("state = 'idle in transaction'");
  }

  /** Ends the session of whoever has committed and waits for a replica. */
  async killCommitted(): Promise<void> {
    await this.#seen("wait_event = 'SyncRep'");
    await this.#rig.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${OURS} AND wait_event = 'SyncRep'`,
    );
  }

  async awaitReplica(on: boolean): Promise<void> {
    this.#awaitsReplica = on;
    await this.#rig.sql(`ALTER SYSTEM SET synchronous_standby_names = '${on ? 'nobody' : ''}'`);
    await this.#rig.sql('SELECT pg_reload_conf()');
    await until(async () => (await this.#probeWaits()) === on);
  }

  /** Whether a commit waits for a replica now; nothing but pg_cancel_backend ends that wait, no timeout does. */
  async #probeWaits(): Promise<boolean> {
    const probe = await this.#rig.session();
    let isDone = false;
    // Writes to the log and nowhere else.
    const written = probe.query("SELECT pg_logical_emit_message(true, 'parley', 'probe')").finally(() => {
      isDone = true;
    });
    const session = `pid = ${(probe as unknown as { processID: number }).processID}`;
    let waits = false;
    try {
      while (!isDone && !waits) {
        const cancel = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE ${session} AND wait_event = 'SyncRep'`;
        waits = (await this.#rig.sql(cancel)).length > 0;
      }
      await written;
    } finally {
      await probe.end();
    }
    return waits;
  }

  /** Leaves a server without a trace of the script. */
  async undo(): Promise<void> {
    await this.unblock();
    if (this.#crowd.length > 0) await this.relax();
    if (this.#standby !== undefined) {
      this.#lead(undefined);
      await until(() =>
        this.#rig.sql('SELECT 1').then(
          () => true,
          () => false,
        ),
      );
      await this.#standby.stop();
      this.#standby = undefined;
    }
    if (this.#awaitsReplica) await this.awaitReplica(false);
    if (this.#hasTrouble)
      await this.#rig.sql('DROP TRIGGER trouble ON messages; DROP FUNCTION trouble; DROP SEQUENCE troubles');
    await this.#rig.sql(`
      TRUNCATE chats, members, messages, bodies, media, media_uses, devices, cursors, watermarks, receipts, outbox, direct_claims`);
  }

  async #lock(session: pg.Client, chat: string): Promise<void> {
    await session.query('SELECT FROM chats WHERE chat_id = $1 FOR UPDATE', [chat.slice(1)]);
  }

  #seen(condition: string): Promise<void> {
    return until(
      async () =>
        (await this.#rig.sql(`SELECT FROM pg_stat_activity WHERE ${OURS} AND ${condition}`)).length > 0,
    );
  }
}
