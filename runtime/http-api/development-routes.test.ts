import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { createDevelopmentTokens } from '../gateway/development-tokens.ts';
import { createLogger } from '../observability/logger.ts';
import { createMetrics } from '../observability/metrics.ts';
import { developmentRoutes } from './development-routes.ts';
import { createHttpServer } from './http-server.ts';
import { createRequestAdmission } from './request-admission.ts';

const tokens = createDevelopmentTokens(new Uint8Array(32).fill(1));
const server = createHttpServer({
  metrics: createMetrics(false),
  log: createLogger('silent', 'test'),
  api: () => ({ routes: developmentRoutes(tokens), verifier: tokens, starting: false }),
  trustProxy: false,
  admission: createRequestAdmission(DEFAULT_LIMITS),
});
afterEach(() => server.close());

test('a name of any letters is found under the id that its tokens have', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  for (const name of ['zoë', 'Ольга', 'x.y_z-1']) {
    const body = JSON.stringify({ userId: name });
    const headers = { 'content-type': 'application/json' };
    const asked = await fetch(`${url}/v1/dev/token`, { method: 'POST', headers, body });
    const token = (await asked.json()) as object;
    const found = (await (await fetch(`${url}/v1/dev/users/${encodeURIComponent(name)}`)).json()) as object;
    expect(found).toMatchObject({ name, userId: (token as { readonly userId: string }).userId });
  }
  for (const bad of ['%', '%ff', 'a%2Fb', 'a%20b'])
    expect((await fetch(`${url}/v1/dev/users/${bad}`)).status, bad).toBe(400);
});
