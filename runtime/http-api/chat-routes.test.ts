import { expect, test } from 'vitest';
import { deviceId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { micros } from '../../core/contract/time.ts';
import type { ChatStore } from '../ports/message-store.ts';
import { chatRoutes } from './chat-routes.ts';
import type { JsonRoute } from './router.ts';

test('a store that goes away while receipts are read is unavailable, not a defect', async () => {
  const store: Partial<ChatStore> = {
    fetch: (_request, done) =>
      setImmediate(done, {
        outcome: 'ok',
        messages: [],
        more: false,
        head: 1,
        size: 2,
        spans: [{ after: 0, upTo: 9 }],
      }),
    receiptsOf: () => Promise.reject(new Error('the connection is closed')),
  };
  const service = {
    call: () => Promise.reject(new Error('not asked')),
    inFlight: 0,
    quiesce() {},
    close() {},
  };
  const routes = chatRoutes({ store: store as ChatStore, service, limits: DEFAULT_LIMITS });
  const receipts = routes.find(({ path }) => path.endsWith('/receipts')) as JsonRoute;
  const answer = Promise.resolve(
    receipts.handle({
      params: { chatId: 'c_9' },
      query: new URLSearchParams({ serverMsgId: 'm_88' }),
      body: undefined,
      identity: { userId: userId('u_1'), deviceId: deviceId('d_1'), expiresAt: micros(0) },
      address: undefined,
      origin: 'http://localhost',
      onGone: () => undefined,
    }),
  );
  await expect(answer).rejects.toMatchObject({ problem: { code: 'unavailable', status: 503 } });
});
