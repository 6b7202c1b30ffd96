import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import type { UserId } from '../../core/contract/ids.ts';
import { DATABASE, ROLE } from '../adapters/embedded-postgres/cluster.ts';
import { SOCKET_PORT } from '../adapters/embedded-postgres/postgres-settings.ts';
import { createHttpCalls } from '../client/http-calls.ts';
import { createLogger } from '../observability/logger.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';
import { startServer, type ParleyServer } from '../server/start-server.ts';
import type { RawSocket } from './raw-device.ts';
import { connectRaw, fetchDevToken, openRaw } from './raw-device.ts';

/**
 * Whatever happens, and at the most talkative level, no log holds what people write or what they prove themselves with: a
 * server is driven through its good paths and its errors, and what it wrote, and what its PostgreSQL wrote, is searched.
 */

const ALICE = 'u_601' as UserId;
const BOB = 'u_602' as UserId;
/** What Alice says. PostgreSQL shows bytes as hexadecimal digits, and the beginning of a row only. */
const SAID = 'bG9nLW1hcmtlcg==';
const SAID_AS_HEX = Buffer.from(SAID, 'base64').toString('hex');
const SAID_AS_TEXT = Buffer.from(SAID, 'base64').toString('utf8');

let dataDir: string;
let server: ParleyServer;
let database: pg.Client;
let lines = '';

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-logs-'));
  const log = createLogger('debug', 'test', { write: (line) => void (lines += line) });
  server = await startServer({
    port: 0,
    host: '127.0.0.1',
    dataDir,
    limits: DEFAULT_LIMITS,
    log,
    openStore: (metrics) => openEmbeddedStore({ dataDir, limits: DEFAULT_LIMITS, log, metrics }),
    onBroken: () => undefined,
  });
  const host = join(dataDir, 'postgres');
  database = new pg.Client({ user: ROLE, database: DATABASE, host, port: SOCKET_PORT });
  await database.connect();
});
afterAll(async () => {
  await database.end();
  await server.drain();
  rmSync(dataDir, { recursive: true, force: true });
});

const send = (chatId: string, ciphertext: string) => ({
  frame: 'SEND',
  clientMsgId: crypto.randomUUID(),
  chatId,
  ciphertext,
  mediaIds: [],
});

/** The server goes on reading meanwhile: of two that wait for each other PostgreSQL ends one, which may be this one. */
async function changeSchema(sql: string): Promise<void> {
  for (;;) {
    try {
      await database.query(sql);
      return;
    } catch (error) {
      if ((error as pg.DatabaseError).code !== '40P01') throw error;
    }
  }
}

/** Sends that PostgreSQL refuses, each in words that quote the row. */
async function failInPostgres(alice: RawSocket, chatId: string): Promise<void> {
  for (const rule of [
    `ALTER TABLE bodies ADD CONSTRAINT no_marker CHECK (ciphertext <> '\\x${SAID_AS_HEX}') NOT VALID`,
    `CREATE FUNCTION quote() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'not %', convert_from(NEW.ciphertext, 'UTF8'); END $$;
     ALTER TABLE bodies DROP CONSTRAINT no_marker;
     CREATE TRIGGER quote BEFORE INSERT ON bodies FOR EACH ROW EXECUTE FUNCTION quote()`,
  ]) {
    await changeSchema(rule);
    alice.send(send(chatId, SAID));
    await alice.next(({ frame }) => frame === 'ERROR');
  }
  await changeSchema('DROP TRIGGER quote ON bodies');
}

/** Frames, bodies and tokens that are wrong, all with the secret in them. */
async function failAtTheEdge(alice: RawSocket, token: string): Promise<void> {
  const broken = openRaw(server.url, token);
  await broken.next(({ frame }) => frame === 'WELCOME');
  broken.send(`{"frame":"SEND","ciphertext":"${SAID}`);
  await broken.next(({ frame }) => frame === 'ERROR');
  await broken.close();
  alice.send({ frame: 'SEND', clientMsgId: SAID, chatId: SAID, ciphertext: SAID, mediaIds: [SAID] });
  const forged = `${token.slice(0, -8)}AAAAAAAA`;
  const refused = openRaw(server.url, forged);
  refused.socket.on('error', () => undefined);
  await refused.closed;
  for (const [bearer, body] of [
    [token, `{"kind":"${SAID}`],
    [token, JSON.stringify({ kind: SAID, members: [SAID] })],
    [forged, '{}'],
  ] as const)
    await fetch(`${server.url}/v1/chats?token=${token}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      body,
    });
}

test('nothing that people write and no token is in any log, on good paths and bad', async () => {
  const token = await fetchDevToken(server.url, ALICE);
  const { chatId } = await createHttpCalls(server.url, () => Promise.resolve(token)).createChat('group', [
    BOB,
  ]);
  const alice = await connectRaw({ url: server.url, user: ALICE, device: 'phone' });
  const bob = await connectRaw({ url: server.url, user: BOB, device: 'phone' });
  alice.send(send(chatId, SAID));
  await bob.next(({ frame }) => frame === 'MESSAGE');

  await failInPostgres(alice, chatId);
  await failAtTheEdge(alice, token);
  // Connections that break with a message under way.
  const killed = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
  alice.send(send(chatId, SAID));
  await database.query(killed);
  await alice.next(({ frame }) => frame === 'ACK' || frame === 'ERROR');
  await Promise.all([alice.close(), bob.close()]);

  const logs = lines + readFileSync(join(dataDir, 'postgres.log'), 'utf8');
  // The errors were met, and met by both logs.
  expect(lines).toContain('no_marker');
  expect(lines).toContain('P0001');
  expect(lines).toContain('upgrade refused');
  expect(logs).toContain('violates check constraint');
  for (const secret of [SAID, SAID_AS_HEX, token.split('.')[2] as string]) expect(logs).not.toContain(secret);
  expect(lines).not.toContain(SAID_AS_TEXT);
});
