import fc from 'fast-check';
import type { RegistryStep } from './registry-step.ts';

const USERS = ['u1', 'u2', 'u3'];
const user = fc.constantFrom(...USERS);
const device = fc.tuple(user, fc.constantFrom('d1', 'd2')).map(([of, number]) => `${of}.${number}`);
/** Few, so that old and new ones meet. */
const epoch = fc.integer({ min: 1, max: 5 });
/** Off the ends of leases by more than a step takes. */
const seconds = fc.constantFrom(-30, 10, 20, 30, 60, 200);

const step: fc.Arbitrary<RegistryStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('claim' as const), device, epoch }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('renew' as const),
      entries: fc.array(fc.tuple(device, epoch), { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('release' as const), device, epoch }) },
  { weight: 4, arbitrary: fc.constant({ do: 'look-up' as const, users: USERS }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('mark-missed' as const),
      devices: fc.array(device, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.constant({ do: 'presence' as const, users: USERS }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('clock' as const), seconds }) },
  { weight: 1, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose-scripts' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'hints' as const }) },
);

/** Every user is watched from the start. */
export const randomSteps: fc.Arbitrary<readonly RegistryStep[]> = fc
  .array(step, { minLength: 8, maxLength: 60 })
  .map((steps) => [...USERS.map((watched) => ({ do: 'watch' as const, user: watched })), ...steps]);
