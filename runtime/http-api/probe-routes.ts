import type { Metrics } from '../observability/metrics.ts';
import { problem } from './problem.ts';
import { ProblemError } from './http-exchange.ts';
import type { Route } from './router.ts';

/** An answer about a dependency is good for this long, so that probes cannot load it. */
const FRESH_MS = 500;
const CHECK_TIMEOUT_MS = 2_000;

/** Something without which this process cannot do its work. */
export interface ReadinessCheck {
  /** For people: `PostgreSQL shard s0`. */
  readonly name: string;
  /** Rejects, with the reason, when it cannot serve. */
  check(): Promise<void>;
}

export interface ProbeOptions {
  readonly metrics: Metrics;
  /** Why this process takes no work now, or undefined. */
  readonly unavailable: () => string | undefined;
  /** Asked each time: a process that starts has none yet. */
  readonly checks: () => readonly ReadinessCheck[];
}

/**
 * What orchestrators and scrapers ask. Liveness says that the process works and nothing about others: restarting it would
 * not bring them back. Readiness names what is gone.
 */
export function probeRoutes({ metrics, unavailable, checks }: ProbeOptions): Route[] {
  const remembered = new WeakMap<ReadinessCheck, () => Promise<string | undefined>>();
  const failureOf = (check: ReadinessCheck): Promise<string | undefined> => {
    let ask = remembered.get(check);
    if (ask === undefined) remembered.set(check, (ask = rememberedFailure(check)));
    return ask();
  };
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
        const reason = unavailable();
        if (reason !== undefined) throw new ProblemError(problem('unavailable', reason));
        const failures = (await Promise.all(checks().map(failureOf))).filter((text) => text !== undefined);
        if (failures.length > 0) throw new ProblemError(problem('unavailable', failures.join('; ')));
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

/** @returns a function that asks at most once in a while and answers what is wrong, or undefined. */
function rememberedFailure({ name, check }: ReadinessCheck): () => Promise<string | undefined> {
  let askedAt = -Infinity;
  let answer: Promise<string | undefined> = Promise.resolve(undefined);
  return () => {
    const now = performance.now();
    if (now - askedAt > FRESH_MS) {
      askedAt = now;
      const late = new Promise<string>((resolve) => {
        setTimeout(
          resolve,
          CHECK_TIMEOUT_MS,
          `${name} does not answer within ${CHECK_TIMEOUT_MS} ms`,
        ).unref();
      });
      answer = Promise.race([
        late,
        check().then(
          () => undefined,
          (error: unknown) => `${name}: ${error instanceof Error ? error.message : String(error)}`,
        ),
      ]);
    }
    return answer;
  };
}
