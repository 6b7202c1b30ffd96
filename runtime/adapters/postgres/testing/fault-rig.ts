import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { pino } from 'pino';
import type { MessageStore } from '../../../ports/message-store.ts';
import { StoreUnderTest, type TestChat } from '../contract/store-under-test.ts';
import { createPostgresMessageStore } from '../message-store-postgres.ts';
import type { PostgresLimits } from '../postgres-limits.ts';
import { FaultProxy } from './fault-proxy.ts';
import { startTestDatabase, type TestDatabase } from './test-database.ts';

/** The limit that stores of a rig are made with. */
export const RECEIPT_MEMBERS = 6;

/** A database, a proxy that breaks connections to it, and stores that are closed after each test. */
export class FaultRig {
  readonly database: TestDatabase;
  readonly proxy: FaultProxy;
  readonly #stores: MessageStore[] = [];

  static async start(): Promise<FaultRig> {
    const database = await startTestDatabase();
    const { host } = new pg.Client({ connectionString: database.connectionString });
    return new FaultRig(database, await FaultProxy.start(`${host}/.s.PGSQL.5432`));
  }

  private constructor(database: TestDatabase, proxy: FaultProxy) {
    this.database = database;
    this.proxy = proxy;
  }

  /** A store that reaches PostgreSQL directly. */
  open(postgres: Partial<PostgresLimits> = {}): Promise<StoreUnderTest> {
    return this.#open(this.database.connectionString, postgres);
  }

  /** A store that reaches PostgreSQL through the proxy. */
  openProxied(postgres: Partial<PostgresLimits> = {}): Promise<StoreUnderTest> {
    return this.#open(`postgresql://parley@127.0.0.1:${this.proxy.port}/parley`, postgres);
  }

  async closeStores(): Promise<void> {
    await Promise.all(this.#stores.splice(0).map((store) => store.close()));
  }

  async stop(): Promise<void> {
    await this.proxy.close();
    await this.database.stop();
  }

  async sql(text: string): Promise<unknown[]> {
    const client = await this.#connect();
    try {
      return (await client.query(text)).rows as unknown[];
    } finally {
      await client.end();
    }
  }

  /** Holds a lock on the rows of a chat in a table until `release`. */
  async lock(table: 'chats' | 'watermarks', chat: TestChat): Promise<{ release(): Promise<void> }> {
    const client = await this.#connect();
    await client.query('BEGIN');
    await client.query(`SELECT FROM ${table} WHERE chat_id = $1 FOR UPDATE`, [chat.chatId.slice(2)]);
    return {
      release: async () => {
        await client.query('COMMIT');
        await client.end();
      },
    };
  }

  /** How many of the stores' transactions wait for a lock. */
  async waiting(): Promise<number> {
    const waiting = "application_name LIKE 'parley %' AND wait_event_type = 'Lock'";
    return (await this.sql(`SELECT FROM pg_stat_activity WHERE ${waiting}`)).length;
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.database.connectionString });
    await client.connect();
    return client;
  }

  async #open(connectionString: string, postgres: Partial<PostgresLimits>): Promise<StoreUnderTest> {
    const store = await createPostgresMessageStore({
      connectionString,
      limits: { receiptMembers: RECEIPT_MEMBERS },
      postgres,
      log: pino({ level: 'silent' }),
    });
    this.#stores.push(store);
    return StoreUnderTest.of(store);
  }
}

/** @throws Error when it has not come true after ten seconds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + 10_000; Date.now() < giveUpAt; await delay(10)) {
    if (await condition()) return;
  }
  throw new Error('waited ten seconds in vain');
}
