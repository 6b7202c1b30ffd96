import fc from 'fast-check';
import type { CallStep, Fate, StoreStep } from './store-step.ts';

/** Few of everything, so that they meet. */
const USERS = ['u1', 'u2', 'u3', 'u10'];
const user = fc.constantFrom(...USERS);
const chat = fc.constantFrom('c1', 'c2', 'c3');
const device = fc.tuple(user, fc.constantFrom('d1', 'd2')).map(([of, number]) => `${of}.${number}`);
/** Some keys are used for other content, too. */
const other = fc.constantFrom('', '', '', '!');
const send = fc
  .tuple(user, fc.integer({ min: 1, max: 9 }), other)
  .map(([from, key, mark]) => `${from}:${key}${mark}`);
const sends = fc.uniqueArray(send, { minLength: 1, maxLength: 3, selector: (word) => word.replace('!', '') });
const users = fc.uniqueArray(user, { maxLength: 3 });
const by = fc.constantFrom('s1' as const, 's2' as const);
const seq = fc.integer({ min: 1, max: 8 });
/** Most calls have no adventure. */
const fate: fc.Arbitrary<{ fate?: Fate }> = fc.oneof(
  { weight: 12, arbitrary: fc.constant({}) },
  {
    weight: 2,
    arbitrary: fc.constantFrom({ fate: 'lost-before' as const }, { fate: 'lost-after' as const }),
  },
  { weight: 1, arbitrary: fc.constant({ fate: 'late' as const }) },
);
/** Most writes expect what is there. */
const stale = fc.constantFrom(0, 0, 0, 0, 1, 2);

const spans = fc
  .uniqueArray(fc.integer({ min: 0, max: 6 }), { maxLength: 4 })
  .map((ends) => ends.toSorted((a, b) => a - b))
  .map((ends) => {
    const pairs: ([number, number] | [number])[] = [];
    for (let i = 0; i < ends.length; i += 2) {
      const [after = 0, upTo] = ends.slice(i, i + 2);
      pairs.push(upTo === undefined ? [after] : [after, upTo]);
    }
    return pairs;
  });

const receipt = fc.record(
  {
    type: fc.constantFrom('DELIVERED' as const, 'READ' as const),
    device,
    chat,
    seq,
    send: send.map((word) => word.replace('!', '')),
    to: users,
  },
  { requiredKeys: ['type', 'device', 'chat', 'seq'] },
);
const counted = fc.record({
  type: fc.constantFrom('DELIVERED' as const, 'READ' as const),
  device,
  chat,
  seq,
  counted: fc.constant(true),
});

const write: fc.Arbitrary<CallStep> = fc
  .tuple(
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant('create' as const),
          chat,
          members: fc.uniqueArray(user, { minLength: 1, maxLength: 4 }),
        }),
      },
      {
        weight: 8,
        arbitrary: fc.record({ do: fc.constant('append' as const), chat, sends, stale, to: users }),
      },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('member' as const), chat, user, spans, stale }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('open-device' as const), device }) },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant('receipts' as const),
          writes: fc.array(fc.oneof(receipt, counted), { minLength: 1, maxLength: 4 }),
        }),
      },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('delete-outbox' as const) }) },
    ),
    by,
    fate,
  )
  .map(([step, caller, doom]) => ({ ...step, by: caller, ...doom }));

const read: fc.Arbitrary<CallStep> = fc.oneof(
  fc.record({ do: fc.constant('load' as const), chat, sends }),
  fc.record({ do: fc.constant('list' as const), device }),
  fc.record({ do: fc.constant('fetch' as const), user, chat, after: fc.integer({ min: 0, max: 4 }) }),
  fc.record({ do: fc.constant('outbox' as const), fresh: fc.boolean() }),
  fc.record({
    do: fc.constant('members' as const),
    chat,
    seq,
    limit: fc.integer({ min: 1, max: 4 }),
    above: fc.integer({ min: 0, max: 4 }),
    authors: fc.integer({ min: 0, max: 3 }),
  }),
  fc.record({ do: fc.constant('counts' as const), chat, limit: fc.integer({ min: 1, max: 5 }) }),
  fc.constant({ do: 'heads' as const, chats: ['c1', 'c2', 'c3'] }),
);

const step: fc.Arbitrary<StoreStep> = fc.oneof(
  { weight: 20, arbitrary: write },
  { weight: 8, arbitrary: read },
  { weight: 2, arbitrary: fc.constant({ do: 'release' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'retention' as const }) },
);

/** Ends with a look at everything. */
const LAST: readonly StoreStep[] = [
  { do: 'release' },
  ...['c1', 'c2', 'c3'].map((each) => ({ do: 'load' as const, chat: each })),
  ...USERS.map((each) => ({ do: 'list' as const, device: `${each}.d1` })),
  { do: 'outbox' },
];

export const randomSteps: fc.Arbitrary<readonly StoreStep[]> = fc
  .array(step, { minLength: 8, maxLength: 50 })
  .map((steps) => [
    { do: 'create' as const, chat: 'c1', members: ['u1', 'u2', 'u3'] },
    { do: 'create' as const, chat: 'c2', kind: 'direct' as const, members: ['u1', 'u2'] },
    // Receipts are for chats that exist: nobody else looks at one.
    { do: 'create' as const, chat: 'c3', members: ['u10'] },
    ...steps,
    ...LAST,
  ]);
