import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRange } from './byte-range.ts';

const size = fc.integer({ min: 0, max: 1_000 });
const edge = fc.oneof(fc.constant(''), fc.integer({ min: 0, max: 1_100 }).map(String));

test('a range lies within the content, and begins and ends where it was asked for', () => {
  fc.assert(
    fc.property(size, edge, edge, (bytes, from, to) => {
      const range = readRange(`bytes=${from}-${to}`, bytes);
      if (range === undefined) {
        expect((from === '' && to === '') || (from !== '' && to !== '' && Number(to) < Number(from))).toBe(
          true,
        );
      } else if (range === 'unsatisfiable') {
        expect(from === '' ? Number(to) === 0 || bytes === 0 : Number(from) >= bytes).toBe(true);
      } else {
        expect(range.first).toBe(from === '' ? Math.max(0, bytes - Number(to)) : Number(from));
        expect(range.last).toBe(from === '' || to === '' ? bytes - 1 : Math.min(Number(to), bytes - 1));
        expect(range.first <= range.last && range.last < bytes).toBe(true);
      }
    }),
  );
});

test('whatever is no range of bytes is ignored', () => {
  fc.assert(
    fc.property(fc.string(), size, (header, bytes) => {
      fc.pre(!/^bytes=\d*-\d*$/i.test(header));
      expect(readRange(header, bytes)).toBeUndefined();
    }),
  );
});
