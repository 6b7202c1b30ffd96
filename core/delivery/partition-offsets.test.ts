import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { begin, finish, newPartitionOffsets } from './partition-offsets.ts';

/** Handed out with a distance from the one before (0: again), or the nth unfinished one is finished. */
type Move =
  | { readonly kind: 'begin'; readonly skip: number }
  | { readonly kind: 'finish'; readonly nth: number };
const moves = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('begin' as const), skip: fc.nat({ max: 3 }) }),
    fc.record({ kind: fc.constant('finish' as const), nth: fc.nat({ max: 5 }) }),
  ),
  { maxLength: 120 },
);

/** Runs the moves against two sets: what was handed out, and what of it is unfinished. */
function run(start: number, history: readonly Move[]): void {
  const partition = newPartitionOffsets(1, start);
  const open = new Map<number, number>();
  const slots = new Set<number>();
  let watermark = start;
  let next = start;
  let last = -1;
  for (const move of history) {
    const before = partition.watermark;
    if (move.kind === 'begin') {
      const offset = move.skip === 0 && last >= 0 ? last : next + move.skip;
      const slot = begin(partition, offset);
      expect(slot === undefined).toBe(offset === last);
      if (slot !== undefined) {
        expect(slots.has(slot)).toBe(false);
        slots.add(slot);
        open.set(offset, slot);
        last = offset;
        next = offset + 1;
      }
      expect(partition.watermark).toBe(before);
    } else {
      const [offset, slot] = [...open][move.nth % Math.max(1, open.size)] ?? [];
      if (offset === undefined || slot === undefined) continue;
      open.delete(offset);
      // It moves on to the lowest that is unfinished, or behind the last, when what is finished lies below all that is not.
      const lowest = Math.min(...open.keys());
      if (offset < lowest) watermark = open.size > 0 ? lowest : last + 1;
      const moved = finish(partition, slot);
      expect(moved).toBe(partition.watermark !== before);
      expect(partition.watermark).toBeGreaterThanOrEqual(before);
    }
    expect(partition.watermark).toBe(watermark);
  }
}

describe('offsets of a partition', () => {
  it('are committed as far as everything below is finished, in whatever order work ends', () => {
    fc.assert(
      fc.property(fc.nat({ max: 1_000 }), moves, (start, history) => run(start, history)),
      { numRuns: 500 },
    );
  });

  it('move past holes, once the record below the hole is finished', () => {
    const partition = newPartitionOffsets(1, 10);
    const [a, b, c] = [12, 15, 16].map((offset) => begin(partition, offset));
    expect(finish(partition, b as number)).toBe(false);
    expect(partition.watermark).toBe(10);
    expect(finish(partition, a as number)).toBe(true);
    expect(partition.watermark).toBe(16);
    const d = begin(partition, 20);
    expect(finish(partition, c as number)).toBe(true);
    expect(partition.watermark).toBe(20);
    expect(finish(partition, d as number)).toBe(true);
    expect(partition.watermark).toBe(21);
  });

  it('refuse what lies below the assignment or was handed out before', () => {
    const partition = newPartitionOffsets(1, 10);
    expect(begin(partition, 9)).toBeUndefined();
    const slot = begin(partition, 10);
    expect(begin(partition, 10)).toBeUndefined();
    finish(partition, slot as number);
    expect(begin(partition, 10)).toBeUndefined();
    expect(begin(partition, 11)).toBeDefined();
  });

  it('keep slots valid over many thousand records, while an old one is slow and after it has ended', () => {
    const partition = newPartitionOffsets(1, 0);
    const slots: number[] = [];
    for (let offset = 0; offset < 20_000; offset++) slots.push(begin(partition, offset) as number);
    for (let i = 19_999; i > 0; i--) expect(finish(partition, slots[i] as number)).toBe(false);
    expect(partition.watermark).toBe(0);
    expect(finish(partition, slots[0] as number)).toBe(true);
    expect(partition.watermark).toBe(20_000);
    // In order, each finish moves the watermark by one, over every cut.
    for (let offset = 20_000; offset < 40_000; offset++) slots.push(begin(partition, offset) as number);
    for (let i = 20_000; i < 40_000; i++) {
      expect(finish(partition, slots[i] as number)).toBe(true);
      expect(partition.watermark).toBe(i + 1);
    }
  });
});
