import {
  createPlacement,
  onePlacement,
  type Placement,
  SLOTS,
  shardOf,
} from '../../core/contract/placement.ts';

/** Made once: it costs as much as a hundred events. */
const ONE: Placement = onePlacement(nameOf(0));

/** The regions of a run, one shard each: who is at home where. */
export class Regions {
  readonly count: number;
  readonly placement: Placement;

  constructor(count: number) {
    this.count = count;
    this.placement = count === 1 ? ONE : evenPlacement(count);
  }

  nameOf(index: number): string {
    return nameOf(index);
  }

  /** Index of the home region of a user or a chat. */
  homeOf(id: string): number {
    return this.count === 1 ? 0 : shardOf(this.placement, id);
  }
}

function nameOf(index: number): string {
  return `region-${index}`;
}

function evenPlacement(count: number): Placement {
  const share = SLOTS / count;
  return createPlacement(
    Array.from({ length: count }, (_, i) => ({
      name: `shard-${i}`,
      region: nameOf(i),
      slots: [[Math.ceil(i * share), Math.ceil((i + 1) * share) - 1] as const],
    })),
  );
}
