import type { Oracle } from './oracle.ts';
import { broken } from './violation.ts';

/** Promise 8. No queue, window or buffer holds more than its limit: what is over it is refused, not kept. */
export function bounded(): Oracle {
  return {
    name: 'bounded',
    watches: ['gauge'],
    observe(o, at) {
      if (o.kind !== 'gauge' || o.value <= o.limit) return undefined;
      return broken(
        'bounded',
        at,
        `${o.name} of ${o.node} stays at or below ${o.limit}`,
        Number.isNaN(o.value) ? 'it is not a number' : `it is ${o.value}`,
      );
    },
  };
}
