import fc from 'fast-check';
import type { RegistryStep } from './registry-step.ts';

const USERS = ['u1', 'u2', 'u3'];
const user = fc.constantFrom(...USERS);
const device = fc.tuple(user, fc.constantFrom('d1', 'd2')).map(([of, number]) => `${of}.${number}`);
/** Few, so that old and new ones meet. */
const epoch = fc.integer({ min: 1, max: 5 });
/** Off the ends of leases by more than a step takes. */
const seconds = fc.constantFrom(-30, 10, 20, 30, 60, 200);

type Weighted = { readonly weight: number; readonly arbitrary: fc.Arbitrary<RegistryStep> };

/** What gateways and workers ask. */
const ASKED: readonly Weighted[] = [
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
];

/** And what happens to a server that is well. */
const ANYTHING: readonly Weighted[] = [
  ...ASKED,
  { weight: 5, arbitrary: fc.record({ do: fc.constant('clock' as const), seconds }) },
  { weight: 1, arbitrary: fc.constant({ do: 'flush' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose-scripts' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'hints' as const }) },
];

const part = (of: readonly Weighted[], minLength: number, maxLength: number) =>
  fc.array(fc.oneof(...of), { minLength, maxLength });

const quiet = part(ANYTHING, 8, 60);

/**
 * A server that dies and comes back with a snapshot or with nothing. No clock moves between the snapshot and the death: a
 * clock is moved by rewriting the times that are stored, and those of a snapshot stay as they are.
 */
const crashed = fc
  .record({
    before: part(ANYTHING, 2, 15),
    hasSnapshot: fc.boolean(),
    unsaved: part(ASKED, 1, 8),
    away: part(ASKED, 0, 2),
    after: part(ANYTHING, 2, 15),
  })
  .map(({ before, hasSnapshot, unsaved, away, after }): readonly RegistryStep[] => [
    ...before,
    ...(hasSnapshot ? [{ do: 'snapshot' } as const] : []),
    ...unsaved,
    { do: 'hints' },
    { do: 'crash' },
    ...away,
    { do: 'start' },
    ...after,
  ]);

/** A replica that takes over and lacks the last writes, and askers who learn of it one after the other. */
const failedOver = fc
  .record({
    before: part(ANYTHING, 2, 15),
    unheard: part(ASKED, 0, 8),
    stale: part(ASKED, 0, 6),
    order: fc.constantFrom<readonly ['gateway' | 'worker', 'gateway' | 'worker']>(
      ['gateway', 'worker'],
      ['worker', 'gateway'],
    ),
    between: part(ASKED, 0, 6),
    after: part(ANYTHING, 2, 15),
  })
  .map(({ before, unheard, stale, order: [first, second], between, after }): readonly RegistryStep[] => [
    { do: 'replicate' },
    ...before,
    { do: 'lag' },
    ...unheard,
    { do: 'hints' },
    { do: 'fail-over' },
    ...stale,
    { do: 'learn', by: first },
    ...between,
    { do: 'learn', by: second },
    { do: 'look-up', users: USERS },
    ...after,
  ]);

/** Every user is watched from the start. */
export const randomSteps: fc.Arbitrary<readonly RegistryStep[]> = fc
  .oneof(
    { weight: 2, arbitrary: quiet },
    { weight: 1, arbitrary: crashed },
    { weight: 1, arbitrary: failedOver },
  )
  .map((steps) => [...USERS.map((watched) => ({ do: 'watch' as const, user: watched })), ...steps]);
