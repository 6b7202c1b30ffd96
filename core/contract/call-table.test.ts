import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addCall, callAt, newCallTable, takeCall } from './call-table.ts';

describe('a table of calls', () => {
  it('does what a Map with rising keys does, whatever begins and ends in which order', () => {
    // Numbers below 3 begin a call; others end one of those that were ever begun, or of the next few.
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 60 }), { maxLength: 400 }), (moves) => {
        const table = newCallTable<string>();
        const map = new Map<number, string>();
        let begun = 0;
        for (const move of moves) {
          if (move < 20) {
            begun++;
            map.set(begun, `call ${begun}`);
            expect(addCall(table, `call ${begun}`)).toBe(begun);
          } else {
            const number = (move * 7) % (begun + 3);
            expect(takeCall(table, number)).toBe(map.get(number));
            map.delete(number);
          }
          const [oldest] = map;
          expect(table.first).toBe(oldest?.[0] ?? begun + 1);
          for (let number = table.first; number < table.next; number++)
            expect(callAt(table, number)).toBe(map.get(number));
        }
      }),
    );
  });

  it('needs no more places for many calls that end soon', () => {
    const table = newCallTable<number>();
    const places = table.places;
    for (let i = 0; i < 1_000; i++) {
      const number = addCall(table, i);
      if (i % 2 === 1) {
        takeCall(table, number);
        takeCall(table, number - 1);
      }
    }
    expect(table.places).toBe(places);
  });

  it('counts on above 2^31', () => {
    const table = newCallTable<string>();
    table.first = table.next = 2 ** 31 - 5;
    const numbers = Array.from({ length: 20 }, (_, i) => addCall(table, `call ${i}`));
    numbers.reverse().forEach((number, i) => expect(takeCall(table, number)).toBe(`call ${19 - i}`));
    expect(table.first).toBe(table.next);
  });
});
