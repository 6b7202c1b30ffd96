import type { Socket } from 'node:net';
import pg from 'pg';

export interface SessionOptions {
  readonly connectionString: string;
  /** `parley …`, as it is listed among the sessions of the server. */
  readonly name: string;
  readonly connectTimeoutMs: number;
  /** A server that says nothing for so long is taken for gone: longer than the longest statement may take. */
  readonly silenceMs: number;
}

/** How long a server has for its goodbye. */
const GOODBYE_MS = 1_000;

/**
 * Does something in a session of its own, and always comes back: a server that falls silent, after the login or in the
 * midst of the work, has its connection cut, and what waits for it is rejected. The driver itself waits for ever.
 * @throws the driver's error when PostgreSQL does not answer; what `work` throws.
 */
export async function inSession<Result>(
  options: SessionOptions,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const { connectionString, name, connectTimeoutMs, silenceMs } = options;
  const client = new pg.Client({
    connectionString,
    application_name: name,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  });
  client.on('error', () => {}); // reported by the query that was under way
  await client.connect();
  const stream = client.connection.stream as Socket;
  stream.setTimeout(silenceMs, () => {
    stream.destroy(new Error(`PostgreSQL said nothing for ${silenceMs} ms`));
  });
  try {
    return await work(client);
  } finally {
    await endSession(client);
  }
}

/** Says goodbye, and does not wait for a server that does not take it. */
export async function endSession(client: pg.Client): Promise<void> {
  const deadline = setTimeout(() => client.connection.stream.destroy(), GOODBYE_MS);
  try {
    await client.end();
  } finally {
    clearTimeout(deadline);
  }
}
