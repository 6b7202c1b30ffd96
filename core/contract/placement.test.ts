import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPlacement, onePlacement, regionOf, SLOTS, shardOf, slotOf } from './placement.ts';

const TWO = createPlacement([
  { name: 'eu-1', region: 'eu', slots: [[0, 511]] },
  {
    name: 'us-1',
    region: 'us',
    slots: [
      [512, 700],
      [701, 1_023],
    ],
  },
]);

test('every id has one home, and the same one everywhere', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (number) => {
      const id = `u_${number}`;
      const slot = slotOf(id);
      expect(slot).toBeGreaterThanOrEqual(0);
      expect(slot).toBeLessThan(SLOTS);
      expect(shardOf(TWO, id)).toBe(slot < 512 ? 0 : 1);
      expect(regionOf(TWO, id)).toBe(slot < 512 ? 'eu' : 'us');
      expect(regionOf(onePlacement('eu'), id)).toBe('eu');
    }),
  );
});

test('ids in a row are dealt evenly', () => {
  const counts = [0, 0];
  for (let i = 0; i < 10_000; i++) (counts[shardOf(TWO, `c_${2 ** 40 + i}`)] as number)++;
  for (const count of counts) expect(Math.abs(count - 5_000)).toBeLessThan(300);
});

test.each([
  ['out of range', [[0, 1_024]]],
  [
    'two shards',
    [
      [0, 600],
      [600, 1_023],
    ],
  ],
  ['no shard', [[0, 1_022]]],
] as const)('a map of slots that is wrong is refused: %s', (message, slots) => {
  expect(() => createPlacement([{ name: 'a', region: 'eu', slots }])).toThrow(message);
});
