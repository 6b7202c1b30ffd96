import pg from 'pg';

/** `database already exists`. Who loses a race to create it gets a unique violation instead. */
const EXISTS = ['42P04', '23505'];

/**
 * Makes the database of a connection string when it is missing, through the database `postgres` of the same server.
 * @returns whether it was made. @throws the driver's error when the server does not answer or refuses.
 */
export async function createDatabase(connectionString: string): Promise<boolean> {
  const { client, name } = await administrator(connectionString);
  try {
    const found = await client.query('SELECT FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount !== 0) return false;
    await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
    return true;
  } catch (error) {
    if (EXISTS.includes((error as { readonly code?: string }).code ?? '')) return false;
    throw error;
  } finally {
    await client.end();
  }
}

/** Removes a database and whoever is connected to it: for tests. */
export async function dropDatabase(connectionString: string): Promise<void> {
  const { client, name } = await administrator(connectionString);
  try {
    await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
  } finally {
    await client.end();
  }
}

async function administrator(connectionString: string): Promise<{ client: pg.Client; name: string }> {
  const url = new URL(connectionString);
  const name = decodeURIComponent(url.pathname.slice(1));
  url.pathname = '/postgres';
  const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {}); // reported by the query that was under way
  await client.connect();
  return { client, name };
}
