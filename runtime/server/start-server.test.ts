import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { openNodeSocket } from '../client/client-socket-node.ts';
import { createHttpCalls } from '../client/http-calls.ts';
import { createParleyClient } from '../client/parley-client.ts';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { freePorts } from '../cluster/free-ports.ts';
import { createLogger } from '../observability/logger.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { Outbox } from '../ports/outbox.ts';
import { openEmbeddedStore } from './open-embedded-store.ts';
import { startServer } from './start-server.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'parley-server-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const log = createLogger('silent', 'test');
const options = { port: 0, host: '127.0.0.1', limits: DEFAULT_LIMITS, log };

test('after an invariant broke, nothing is accepted and nothing acknowledged', async () => {
  const broken = Promise.withResolvers<void>();
  let store: MessageStore | undefined;
  const server = await startServer({
    ...options,
    dataDir,
    async openStore() {
      const real = await openEmbeddedStore({ dataDir, limits: DEFAULT_LIMITS, log });
      store = real;
      // A store that answers twice breaks what the message service knows to be true.
      const twice: MessageStore['createChat'] = (request, done) =>
        real.createChat(request, (result) => {
          done(result);
          done(result);
        });
      return { ...real, createChat: twice };
    },
    onBroken: broken.resolve,
  });
  const identity = { userId: userId('u_1'), deviceId: deviceId('d_1') };
  const token = await server.tokens.issue(identity);
  const client = await createParleyClient({ url: server.url, token, openSocket: openNodeSocket });
  const closed = new Promise((resolve) =>
    client.on('status', (status) => status === 'offline' && resolve(status)),
  );
  client.connect();
  await new Promise<void>((resolve) => client.on('synced', resolve));
  const api = createHttpCalls(server.url, () => Promise.resolve(token));
  await api.createChat('group', []).catch(() => undefined);
  await broken.promise;
  expect(await closed).toBe('offline');
  await expect(api.chats()).rejects.toMatchObject({ code: 'unreachable' });
  await client.disconnect();
  await store?.close();
});

test('a process with a broken machine ends, also when it cannot let go of its outbox', async () => {
  const broken = Promise.withResolvers<void>();
  const letGo: (() => Promise<void>)[] = [];
  const server = await startServer({
    ...options,
    dataDir,
    async openStore() {
      const real = await openEmbeddedStore({ dataDir, limits: DEFAULT_LIMITS, log });
      const twice: MessageStore['createChat'] = (request, done) =>
        real.createChat(request, (result) => {
          done(result);
          done(result);
        });
      const compete: Outbox['compete'] = (onOwned, onLost) => {
        const ownership = real.outbox.compete(onOwned, onLost);
        letGo.push(
          () => ownership.close(),
          () => real.close(),
        );
        return { owned: true, close: () => new Promise(() => undefined) };
      };
      return { ...real, createChat: twice, outbox: { ...real.outbox, compete } };
    },
    onBroken: broken.resolve,
  });
  const token = await server.tokens.issue({ userId: userId('u_1'), deviceId: deviceId('d_1') });
  const api = createHttpCalls(server.url, () => Promise.resolve(token));
  await api.createChat('group', []).catch(() => undefined);
  await broken.promise;
  for (const end of letGo) await end();
});

test('while the store opens, requests and upgrades are told to come back', async () => {
  const opening = Promise.withResolvers<void>();
  // Asked before the server is there, so it cannot choose one itself.
  const [port = 0] = await freePorts(1);
  const starting = startServer({
    ...options,
    port,
    dataDir,
    async openStore() {
      await opening.promise;
      throw new Error('the disk is gone');
    },
    onBroken: () => undefined,
  });
  const url = `http://127.0.0.1:${port}`;
  await expect
    .poll(() =>
      fetch(`${url}/readyz`).then(
        ({ status }) => status,
        () => 0,
      ),
    )
    .toBe(503);
  const answer = await fetch(`${url}/v1/chats`);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(await answer.json()).toMatchObject({ code: 'unavailable', retryable: true });
  opening.resolve();
  await expect(starting).rejects.toThrow('the disk is gone');
  await expect(fetch(url)).rejects.toThrow();
});
