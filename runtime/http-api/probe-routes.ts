import type { Metrics } from '../observability/metrics.ts';
import { problem } from './problem.ts';
import { ProblemError } from './http-exchange.ts';
import type { Route } from './router.ts';

/** An answer about the store is good for this long, so that probes cannot load it. */
const FRESH_MS = 500;
const PING_TIMEOUT_MS = 2_000;

export interface ProbeOptions {
  readonly metrics: Metrics;
  /** Why this process takes no work now, or undefined. */
  readonly unavailable: () => string | undefined;
  /** Rejects when the store cannot serve. */
  readonly ping: () => Promise<void>;
}

/** What orchestrators and scrapers ask: alive, ready, figures. */
export function probeRoutes({ metrics, unavailable, ping }: ProbeOptions): Route[] {
  const storeAnswers = remembered(ping);
  return [
    {
      method: 'GET',
      path: '/healthz',
      auth: 'none',
      handle: () => ({ status: 200, json: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      auth: 'none',
      async handle() {
        const reason =
          unavailable() ?? ((await storeAnswers()) ? undefined : 'the message store does not answer');
        if (reason !== undefined) throw new ProblemError(problem('unavailable', reason));
        return { status: 200, json: { status: 'ready' } };
      },
    },
    {
      method: 'GET',
      path: '/metrics',
      auth: 'none',
      handle: async () => ({ status: 200, text: await metrics.text(), contentType: metrics.contentType }),
    },
  ];
}

function remembered(ping: () => Promise<void>): () => Promise<boolean> {
  let askedAt = -Infinity;
  let answer: Promise<boolean> = Promise.resolve(false);
  return () => {
    const now = performance.now();
    if (now - askedAt > FRESH_MS) {
      askedAt = now;
      const late = new Promise<boolean>((resolve) => setTimeout(resolve, PING_TIMEOUT_MS, false).unref());
      answer = Promise.race([
        late,
        ping().then(
          () => true,
          () => false,
        ),
      ]);
    }
    return answer;
  };
}
