import { assert } from './assert.ts';
import { hashText, keyedHash } from './random.ts';

/**
 * Where the home of a chat and of a user is: an id hashes to a slot, the shard map gives the slot a shard, the shard lies
 * in a region. Everybody computes it alone, from the id and the configuration (docs/adr/0004-shards-and-regions.md).
 */
export const SLOTS = 1_024;

/** One database. `slots`: inclusive ranges `[from, to]` within 0 … SLOTS - 1. */
export interface ShardPlan {
  readonly name: string;
  readonly region: string;
  readonly slots: readonly (readonly [number, number])[];
}

/** *Invariant:* every slot has exactly one shard. Plain data: part of a recording. */
export interface Placement {
  readonly shards: readonly ShardPlan[];
  /** Index into `shards`, by slot. */
  readonly shardOfSlot: readonly number[];
}

/**
 * @throws InvariantError when a slot is outside the range, has two shards or none. Configuration is checked at its edge,
 * with a better message.
 */
export function createPlacement(shards: readonly ShardPlan[]): Placement {
  const shardOfSlot = Array.from({ length: SLOTS }, () => -1);
  shards.forEach(({ slots }, shard) => {
    for (const [from, to] of slots) {
      assert(from >= 0 && from <= to && to < SLOTS, 'a range of slots is out of range');
      for (let slot = from; slot <= to; slot++) {
        assert(shardOfSlot[slot] === -1, 'a slot has two shards');
        shardOfSlot[slot] = shard;
      }
    }
  });
  assert(!shardOfSlot.includes(-1), 'a slot has no shard');
  return { shards, shardOfSlot };
}

/** Everything in one database. */
export function onePlacement(region: string): Placement {
  return createPlacement([{ name: 'only', region, slots: [[0, SLOTS - 1]] }]);
}

/** @param id a user's or a chat's, as on the wire. */
export function slotOf(id: string): number {
  // Mixed once more: the low bits of the plain hash deal keys to lanes and partitions elsewhere.
  return keyedHash(SLOTS, 0, hashText(id)) % SLOTS;
}

/** @returns an index into `placement.shards`. */
export function shardOf(placement: Placement, id: string): number {
  return placement.shardOfSlot[slotOf(id)] as number;
}

/** The home region of a chat or a user. */
export function regionOf(placement: Placement, id: string): string {
  return (placement.shards[shardOf(placement, id)] as ShardPlan).region;
}
