import type { StoreMetrics } from '../adapters/postgres/store-options.ts';
import type { Metrics } from '../observability/metrics.ts';

/** What the store measures, as metrics. */
export function storeMetrics(metrics: Metrics): StoreMetrics {
  return {
    group(lane, requests, seconds) {
      metrics.storeGroupSeconds.observe({ lane }, seconds);
      metrics.storeGroupCalls.inc({ lane }, requests);
    },
    outcome: (call, outcome) => metrics.storeOutcomes.inc({ call, outcome }),
    waiting: (lane, requests) => metrics.storeWaiting.set({ lane }, requests),
  };
}
