import { expect, test } from 'vitest';
import { chatId, nodeId, userId } from '../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../core/contract/limits.ts';
import { onePlacement } from '../core/contract/placement.ts';
import type { ServiceRequest } from '../core/session/service-call.ts';
import { createMemoryNodeLinks } from './adapters/memory/node-links-memory.ts';
import { createHalt } from './driver/machine-driver.ts';
import type { ServiceCalls } from './http-api/service-calls.ts';
import { createLogger } from './observability/logger.ts';
import { createMetrics } from './observability/metrics.ts';
import { startPipeline } from './pipeline.ts';

test('a drain waits for what HTTP requests have asked, and takes no new question', async () => {
  const links = createMemoryNodeLinks();
  const asked: ServiceRequest[] = [];
  links.attachService({ request: (request) => asked.push(request) });
  const pipeline = await startPipeline({
    stages: ['http-api'],
    nodeOf: (stage) => nodeId(stage),
    ports: { links },
    limits: DEFAULT_LIMITS,
    placement: onePlacement('local'),
    region: 'local',
    metrics: createMetrics(false),
    log: createLogger('silent', 'test'),
    halt: createHalt((_machine, error) => {
      throw error;
    }),
  });
  const service = pipeline.service as ServiceCalls;
  const create = () =>
    service.call((replyTo) => ({
      kind: 'create-chat',
      replyTo,
      userId: userId('u_1'),
      chatKind: 'group',
      members: [],
    }));

  const underWay = create();
  const drained = pipeline.drain();
  await expect(create()).rejects.toMatchObject({ problem: { code: 'unavailable', retryable: true } });
  expect(asked).toHaveLength(1);
  const { replyTo } = asked[0] as Extract<ServiceRequest, { kind: 'create-chat' }>;
  const reply = { kind: 'chat-created', conn: replyTo.conn, chatId: chatId('c_9'), created: true } as const;
  links.reply(replyTo.node, reply);
  expect(await underWay).toEqual(reply);
  await drained;
});
