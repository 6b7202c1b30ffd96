/**
 * Which offsets of a partition are finished. Work ends in any order; only what has nothing unfinished below it may be
 * committed, or a crash would skip it.
 */
export interface PartitionOffsets {
  readonly generation: number;
  /** Offsets handed out and not yet committed, ascending, and whether each is finished. Starts at `first`. */
  offsets: number[];
  done: boolean[];
  first: number;
  /** Everything below is finished. */
  watermark: number;
}

export function newPartitionOffsets(generation: number, offset: number): PartitionOffsets {
  return { generation, offsets: [], done: [], first: 0, watermark: offset };
}

/** Notes a record as handed out. @returns its slot, or undefined when it was handed out before. */
export function begin(partition: PartitionOffsets, offset: number): number | undefined {
  const last = partition.offsets[partition.offsets.length - 1];
  if (offset < partition.watermark || (last !== undefined && offset <= last)) return undefined;
  partition.offsets.push(offset);
  partition.done.push(false);
  return partition.first + partition.offsets.length - 1;
}

/** Notes the slot as finished. @returns whether `watermark` moved. */
export function finish(partition: PartitionOffsets, slot: number): boolean {
  const { offsets, done } = partition;
  done[slot - partition.first] = true;
  let n = 0;
  while (n < done.length && done[n] === true) n++;
  if (n === 0) return false;
  partition.watermark = (offsets[n - 1] as number) + 1;
  if (n === done.length) {
    partition.offsets = [];
    partition.done = [];
  } else {
    partition.offsets = offsets.slice(n);
    partition.done = done.slice(n);
  }
  partition.first += n;
  return true;
}
