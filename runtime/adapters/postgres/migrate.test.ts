import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPostgresMessageStore } from './message-store-postgres.ts';
import { MigrationError, migrate, readMigrations } from './migrate.ts';
import { startTestDatabase, type TestDatabase } from './testing/test-database.ts';

const log = pino({ level: 'silent' });
const limits = { receiptMembers: 6 };

let database: TestDatabase;
let empty: string;
let databases = 0;

beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());
beforeEach(async () => {
  databases++;
  await sql(database.connectionString, `CREATE DATABASE empty_${databases}`);
  empty = database.connectionString.replace('/parley?', `/empty_${databases}?`);
});

async function sql(connectionString: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(text)).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

test('many that migrate at once apply each migration once, and the schema is complete', async () => {
  await Promise.all(Array.from({ length: 6 }, () => migrate(empty, log)));
  const rows = await sql(empty, 'SELECT version, name, checksum FROM parley_migrations ORDER BY version');
  expect(rows).toEqual(readMigrations().map(({ version, name, checksum }) => ({ version, name, checksum })));
  const store = await createPostgresMessageStore({ connectionString: empty, limits, log });
  await store.ping();
  await store.close();
});

test('a database of a later release is left alone', async () => {
  await migrate(empty, log);
  await sql(empty, "INSERT INTO parley_migrations (version, name, checksum) VALUES (9000, 'later', 'x')");
  await migrate(empty, log);
  expect(await sql(empty, 'SELECT count(*)::int AS n FROM parley_migrations')).toEqual([
    { n: readMigrations().length + 1 },
  ]);
});

/** Everything that a release may rely on: columns with their types, and functions with what they take and give. */
const RELIED_ON = `
  SELECT format('%s.%s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) AS what,
         c.relname AS of_table, a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS demanded
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'S') AND a.attnum > 0 AND NOT a.attisdropped
  UNION ALL
  SELECT format('%s(%s) %s', p.proname, pg_get_function_arguments(p.oid), pg_get_function_result(p.oid)), NULL, false
    FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace`;

// Expand and contract: during an upgrade, and after going back, the release before works on this schema.
test('no migration takes away, renames or newly demands what the one before it left', async () => {
  let before: Record<string, unknown>[] = [];
  for (const { version, name, sql: text } of readMigrations()) {
    await sql(empty, text);
    const after = await sql(empty, RELIED_ON);
    const has = new Set(after.map(({ what }) => what));
    const had = new Set(before.map(({ what }) => what));
    const tables = new Set(before.map((row) => row['of_table']));
    const gone = before.filter(({ what }) => !has.has(what));
    const demanded = after.filter(
      (row) => row['demanded'] === true && tables.has(row['of_table']) && !had.has(row['what']),
    );
    expect({ version, name, gone, demanded }).toEqual({ version, name, gone: [], demanded: [] });
    before = after;
  }
  expect(before.length).toBeGreaterThan(60);
});

test('a migration that was changed after it had been applied is refused by name', async () => {
  await migrate(empty, log);
  await sql(empty, "UPDATE parley_migrations SET checksum = 'other' WHERE version = 2");
  const failure = migrate(empty, log);
  await expect(failure).rejects.toThrow(MigrationError);
  await expect(failure).rejects.toThrow('migration 2 (append_messages) is not the one that was applied');
});

test('a migration that fails leaves no trace, and says which it was', async () => {
  await sql(empty, 'CREATE TABLE members (x int)');
  await expect(migrate(empty, log)).rejects.toThrow(
    'migration 1 (schema) failed: relation "members" already exists',
  );
  expect(
    await sql(empty, "SELECT to_regclass('chats') AS chats, to_regclass('parley_migrations') AS record"),
  ).toEqual([{ chats: null, record: null }]);
});

test('a store refuses a database without the schema, and one that is not durable', async () => {
  const open = (connectionString: string) => createPostgresMessageStore({ connectionString, limits, log });
  await expect(open(empty)).rejects.toThrow(/lacks the migrations 1 \(schema\).* Next: /);
  await migrate(empty, log);
  const options = encodeURIComponent('-c synchronous_commit=off');
  await expect(open(`${empty}&options=${options}`)).rejects.toThrow(/synchronous_commit = off.* Next: /);
});
