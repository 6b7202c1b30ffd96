import { SLOTS, createPlacement, type Placement } from '../../core/contract/placement.ts';
import type { RegionConfig } from './regions-schema.ts';

interface Claim {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** @returns what is wrong with the slots of all regions' shards: ranges that run backwards, slots with two shards or none. */
export function shardMapFaults(regions: readonly RegionConfig[]): readonly string[] {
  const faults: string[] = [];
  const claims: Claim[] = [];
  regions.forEach(({ postgres }, i) =>
    postgres.shards.forEach(({ slots }, j) =>
      slots.forEach(([from, to]) => {
        const key = `regions.${i}.postgres.shards.${j}.slots`;
        if (from > to) faults.push(`${key}: [${from}, ${to}] is not a range; the lower slot comes first`);
        else claims.push({ key, from, to });
      }),
    ),
  );
  claims.sort((a, b) => (a.from === b.from ? a.to - b.to : a.from - b.from));
  let next = 0;
  let last: Claim | undefined;
  for (const claim of claims) {
    if (claim.from > next) faults.push(unclaimed(next, claim.from - 1));
    if (claim.from < next && last !== undefined) {
      const overlap = range(claim.from, Math.min(claim.to, next - 1));
      faults.push(`${claim.key}: ${overlap} also in ${last.key}; a slot has one shard`);
    }
    if (claim.to >= next) [next, last] = [claim.to + 1, claim];
  }
  if (next < SLOTS) faults.push(unclaimed(next, SLOTS - 1));
  return faults;
}

/** @param regions checked by `shardMapFaults`. */
export function placementOf(regions: readonly RegionConfig[]): Placement {
  return createPlacement(
    regions.flatMap((region) =>
      region.postgres.shards.map(({ name, slots }) => ({ name, region: region.name, slots })),
    ),
  );
}

function unclaimed(from: number, to: number): string {
  return `regions.*.postgres.shards.*.slots: ${range(from, to)} in no shard; together they cover 0 to ${SLOTS - 1}`;
}

function range(from: number, to: number): string {
  return from === to ? `slot ${from} is` : `slots ${from} to ${to} are`;
}
