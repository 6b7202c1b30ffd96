import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request, type ClientRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { mediaId, userId } from '../../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import { MINUTE } from '../../../core/contract/time.ts';
import { createHttpServer } from '../../http-api/http-server.ts';
import { createRequestAdmission } from '../../http-api/request-admission.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { MediaStore } from '../../ports/media-store.ts';
import { createFilesystemMediaStore } from './media-store-filesystem.ts';

/** The slots for uploads: shared out among users, and nobody's for ever. */

let folder: string;
let media: MediaStore;
let server: Server;
const dawdlers: ClientRequest[] = [];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-slots-'));
  media = createFilesystemMediaStore({ folder, secret: new Uint8Array(32).fill(1), urlLifetime: MINUTE });
  const nobody = { verify: () => Promise.resolve({ ok: false, detail: '' } as const) };
  server = createHttpServer({
    metrics: createMetrics(false),
    log: createLogger('silent', 'test'),
    trustProxy: false,
    admission: createRequestAdmission(DEFAULT_LIMITS),
    api: () => ({ routes: media.routes, verifier: nobody, starting: false }),
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  vi.useRealTimers();
  for (const dawdler of dawdlers.splice(0)) dawdler.destroy();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

const CONTENT = Buffer.alloc(1_000, 1);
let drawn = 0;

async function uploadOf(user: string): Promise<{ url: string; headers: Readonly<Record<string, string>> }> {
  const sha256 = createHash('sha256').update(CONTENT).digest('hex');
  const object = { mediaId: mediaId(`x_${++drawn}`), size: CONTENT.length, contentType: 'image/png', sha256 };
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return media.signUpload(object, origin, userId(user));
}

async function upload(user: string): Promise<number> {
  const { url, headers } = await uploadOf(user);
  return (await fetch(url, { method: 'PUT', headers, body: CONTENT })).status;
}

/** Begins an upload and says no more. @returns whether the server has ended it. */
async function dawdle(user: string): Promise<() => boolean> {
  const { url, headers } = await uploadOf(user);
  const asked = request(url, { method: 'PUT', headers: { ...headers, 'content-length': CONTENT.length } });
  dawdlers.push(asked);
  let ended = false;
  asked.on('error', () => undefined);
  asked.on('close', () => (ended = true));
  await new Promise((resolve) => asked.write(CONTENT.subarray(0, 10), resolve));
  return () => ended;
}

test('a user who holds his slots takes nobody else’s', async () => {
  for (let i = 0; i < 8; i++) await dawdle('u_1');
  await expect.poll(() => upload('u_1')).toBe(503);
  expect(await upload('u_2')).toBe(200);
});

test('an upload that would take for ever is cut, although its peer is there', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const endings = await Promise.all(Array.from({ length: 8 }, () => dawdle('u_1')));
  await expect.poll(() => upload('u_1')).toBe(503);
  expect(endings.some((ended) => ended())).toBe(false);
  vi.advanceTimersByTime(31_000);
  await expect.poll(() => endings.every((ended) => ended())).toBe(true);
  await expect.poll(() => upload('u_1')).toBe(200);
});
