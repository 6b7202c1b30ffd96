import type { Oracle } from './oracle.ts';
import { broken } from './violation.ts';

/** Promise 8. No queue, window or buffer holds more than its limit: what is over it is refused, not kept. */
export function bounded(): Oracle {
  return {
    name: 'bounded',
    on: {
      gauge({ node, name, value, limit }, at) {
        if (value <= limit) return undefined;
        return broken(
          'bounded',
          at,
          `${name} of ${node} stays at or below ${limit}`,
          Number.isNaN(value) ? 'it is not a number' : `it is ${value}`,
        );
      },
    },
  };
}
