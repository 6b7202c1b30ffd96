import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../contract/time.ts';
import { formatRfc3339, parseRfc3339 } from './rfc3339.ts';

/** Milliseconds of 0000-01-01 and of the end of 9999; an instant in between is written the same by every calendar. */
const FIRST = -62_167_219_200_000;
const LAST = 253_402_300_799_999;
/** The last instant whose microseconds a number tells apart to the millisecond. */
const EXACT = 2 ** 56 / 1000;

/** The engine's own calendar as the judge: its text has exactly this form for the years 0 to 9999. */
const byDate = (ms: number): string => new Date(ms).toISOString();

function agrees(ms: number): void {
  expect(formatRfc3339(micros(ms * 1000))).toBe(byDate(ms));
  expect(parseRfc3339(byDate(ms))).toBe(ms * 1000);
}

describe('RFC 3339', () => {
  it('agrees with Date at every instant', () => {
    fc.assert(fc.property(fc.integer({ min: FIRST, max: Math.floor(EXACT) }), agrees), { numRuns: 2_000 });
  });

  it('agrees with Date on both sides of each midnight, over leap days, centuries and eras', () => {
    for (const year of [
      0, 1, 4, 100, 400, 1600, 1700, 1900, 1969, 1970, 2000, 2023, 2024, 2100, 2255, 2256,
    ]) {
      const start = Date.parse(`${String(year).padStart(4, '0')}-01-01T00:00:00.000Z`);
      for (let day = 0; day <= 366; day++) {
        const midnight = start + day * 86_400_000;
        agrees(midnight);
        if (midnight > FIRST) agrees(midnight - 1);
      }
    }
  });

  it('writes known instants', () => {
    expect(formatRfc3339(micros(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(formatRfc3339(micros(-1))).toBe('1969-12-31T23:59:59.999Z');
    expect(formatRfc3339(micros(1_709_164_800_123_999))).toBe('2024-02-29T00:00:00.123Z');
    expect(formatRfc3339(micros(FIRST * 1000))).toBe('0000-01-01T00:00:00.000Z');
    expect(formatRfc3339(micros(-11_644_473_600_000_000))).toBe('1601-01-01T00:00:00.000Z');
  });

  it.each([
    '2024-02-30T00:00:00.000Z',
    '2023-02-29T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2024-00-10T00:00:00.000Z',
    '2024-13-10T00:00:00.000Z',
    '2024-04-31T00:00:00.000Z',
    '2024-01-00T00:00:00.000Z',
    '2024-01-01T24:00:00.000Z',
    '2024-01-01T23:60:00.000Z',
    '2016-12-31T23:59:60.000Z',
    '2024-01-01T00:00:00Z',
    '2024-01-01T00:00:00.000+00:00',
    '2024-01-01t00:00:00.000z',
    '2024-01-01 00:00:00.000Z',
    '2024-1-1T00:00:00.000Z',
    '-001-01-01T00:00:00.000Z',
    '+2024-01-01T00:00:00.000Z',
    '2024-01-01T00:00:00.0000Z',
    '2024-01-01T00:00:00.000Z\n',
    '٢٠٢٤-01-01T00:00:00.000Z',
    '',
  ])('refuses what it does not write: %j', (text) => {
    expect(parseRfc3339(text)).toBeUndefined();
  });

  it('reads only what it would write itself, whatever the text', () => {
    const two = fc.nat({ max: 99 }).map((n) => String(n).padStart(2, '0'));
    const parts = fc.tuple(fc.nat({ max: 2_500 }), two, two, two, two, two);
    fc.assert(
      fc.property(parts, ([year, month, day, hour, minute, second]) => {
        const text = `${String(year).padStart(4, '0')}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
        const judge = Date.parse(text);
        const valid = !Number.isNaN(judge) && byDate(judge) === text;
        expect(parseRfc3339(text)).toBe(valid ? judge * 1000 : undefined);
      }),
      { numRuns: 2_000 },
    );
  });

  it('never throws, and past the exact range is at most a millisecond off', () => {
    fc.assert(
      fc.property(fc.integer({ min: Math.floor(EXACT), max: LAST }), (ms) => {
        const text = formatRfc3339(micros(ms * 1000));
        expect(Math.abs(Date.parse(text) - ms)).toBeLessThanOrEqual(1);
        const back = parseRfc3339(byDate(ms));
        if (back !== undefined) expect(formatRfc3339(back)).toBe(byDate(ms));
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseRfc3339(text)));
  });
});
