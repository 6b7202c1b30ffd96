import { pino } from 'pino';
import { startEmbeddedPostgres } from '../embedded-postgres.ts';

/**
 * A server that does nothing but hold an embedded PostgreSQL, to be killed by tests: prints its pid and URL as a line of
 * JSON, ignores Ctrl-C, and throws when something is written to it.
 */
const dataDir = process.argv[2] ?? '';
process.on('SIGINT', () => {});
const postgres = await startEmbeddedPostgres({ dataDir, log: pino({ level: 'silent' }) });
process.stdout.write(
  `${JSON.stringify({ pid: postgres.pid(), connectionString: postgres.connectionString })}\n`,
);
process.stdin.on('data', () => {
  throw new Error('as the test asked');
});
