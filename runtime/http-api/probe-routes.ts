import type { Metrics } from '../observability/metrics.ts';
import { problem } from './problem.ts';
import { ProblemError } from './http-exchange.ts';
import type { Route } from './router.ts';

/** An answer about a dependency is good for this long, so that probes cannot load it. */
const FRESH_MS = 500;
const CHECK_TIMEOUT_MS = 2_000;

/** Something that this process does its work with. */
export interface ReadinessCheck {
  /** For people: `PostgreSQL shard s0`. */
  readonly name: string;
  /**
   * `vital`: without it nothing can be served. `start`: without it this process never came to work; once it did, it works as
   * well as it can, because every process misses the same engine at the same moment, and an orchestrator that believed them
   * all would take away what the others still serve.
   */
  readonly needed: 'vital' | 'start';
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
 * not bring them back. Readiness says whether anything can be served, and names what is gone.
 */
export function probeRoutes({ metrics, unavailable, checks }: ProbeOptions): Route[] {
  const remembered = new WeakMap<ReadinessCheck, () => Promise<Failure | undefined>>();
  const failureOf = (check: ReadinessCheck): Promise<Failure | undefined> => {
    let ask = remembered.get(check);
    if (ask === undefined) remembered.set(check, (ask = rememberedFailure(check)));
    return ask();
  };
  return [
    {
      method: 'GET',
      path: '/healthz',
      auth: 'none',
      probe: true,
      handle: () => ({ status: 200, json: { status: 'ok' } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      auth: 'none',
      probe: true,
      async handle() {
        const reason = unavailable();
        if (reason !== undefined) throw new ProblemError(problem('unavailable', reason));
        const failures = (await Promise.all(checks().map(failureOf))).filter((each) => each !== undefined);
        const gone = failures.map(({ text }) => text);
        if (failures.some(({ prevents }) => prevents))
          throw new ProblemError(problem('unavailable', gone.join('; ')));
        return { status: 200, json: gone.length === 0 ? { status: 'ready' } : { status: 'degraded', gone } };
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

interface Failure {
  readonly text: string;
  /** Whether this process cannot serve anything, or has never served. */
  readonly prevents: boolean;
}

/** @returns a function that asks at most once in a while and answers what is wrong, or undefined. */
function rememberedFailure({ name, needed, check }: ReadinessCheck): () => Promise<Failure | undefined> {
  let askedAt = -Infinity;
  let passed = false;
  let answer: Promise<Failure | undefined> = Promise.resolve(undefined);
  const failed = (text: string): Failure => ({
    text: `${name}${text}`,
    prevents: needed === 'vital' || !passed,
  });
  return () => {
    const now = performance.now();
    if (now - askedAt > FRESH_MS) {
      askedAt = now;
      const late = new Promise<Failure>((resolve) => {
        const text = ` does not answer within ${CHECK_TIMEOUT_MS} ms`;
        setTimeout(() => resolve(failed(text)), CHECK_TIMEOUT_MS).unref();
      });
      answer = Promise.race([
        late,
        check().then(
          () => {
            passed = true;
            return undefined;
          },
          (error: unknown) => failed(`: ${error instanceof Error ? error.message : String(error)}`),
        ),
      ]);
    }
    return answer;
  };
}
