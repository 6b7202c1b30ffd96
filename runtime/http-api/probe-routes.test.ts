import { expect, test } from 'vitest';
import { createMetrics } from '../observability/metrics.ts';
import { ProblemError } from './http-exchange.ts';
import { probeRoutes, type ReadinessCheck } from './probe-routes.ts';
import type { JsonRoute } from './router.ts';

/** What an orchestrator is told of a process whose engines come and go. */

interface Bench {
  unavailable: string | undefined;
  readonly gone: Set<string>;
  /** Status and, if not ready, what is wrong. */
  readonly ask: () => Promise<unknown>;
}

function begin(needs: Readonly<Record<string, ReadinessCheck['needed']>>): Bench {
  const gone = new Set<string>();
  const checks = Object.entries(needs).map(([name, needed]) => ({
    name,
    needed,
    check: () => (gone.has(name) ? Promise.reject(new Error('does not answer')) : Promise.resolve()),
  }));
  const bench: Bench = {
    unavailable: undefined,
    gone,
    async ask() {
      try {
        const answer = await route.handle(undefined as never);
        return 'json' in answer ? [answer.status, answer.json] : answer.status;
      } catch (error) {
        return error instanceof ProblemError ? [error.problem.status, error.problem.detail] : error;
      }
    },
  };
  const route = probeRoutes({
    metrics: createMetrics(false),
    unavailable: () => bench.unavailable,
    checks: () => checks,
  }).find(({ path }) => path === '/readyz') as JsonRoute;
  return bench;
}

const READY = [200, { status: 'ready' }];

test('a process that never reached an engine is not ready, and says which', async () => {
  const { gone, ask } = begin({ Redis: 'start', Kafka: 'start' });
  gone.add('Redis');
  expect(await ask()).toEqual([503, 'Redis: does not answer']);
  gone.clear();
  await expect.poll(ask).toEqual(READY);
});

test('an engine that goes away later leaves it serving the rest; without what is vital there is no rest', async () => {
  const { gone, ask } = begin({ 'every shard': 'vital', 'shard s0': 'start', Redis: 'start' });
  expect(await ask()).toEqual(READY);
  gone.add('shard s0').add('Redis');
  const named = ['shard s0: does not answer', 'Redis: does not answer'];
  await expect.poll(ask).toEqual([200, { status: 'degraded', gone: named }]);
  gone.add('every shard');
  await expect.poll(ask).toEqual([503, ['every shard: does not answer', ...named].join('; ')]);
  gone.clear();
  await expect.poll(ask).toEqual(READY);
});

test('a process that takes no work is not ready, whatever its engines say', async () => {
  const bench = begin({ Redis: 'start' });
  bench.unavailable = 'this process is shutting down';
  expect(await bench.ask()).toEqual([503, 'this process is shutting down']);
});
