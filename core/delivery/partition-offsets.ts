/**
 * Which offsets of a partition are finished. Work ends in any order; only what has nothing unfinished below it may be
 * committed, or a crash would skip it.
 */
export interface PartitionOffsets {
  readonly generation: number;
  /** Offsets handed out, ascending, from index `head` on; what is before it is finished and waits to be cut off. */
  offsets: number[];
  done: boolean[];
  head: number;
  /** Slot of index 0: slots count all records of the assignment. */
  firstSlot: number;
  /** Everything below is finished. */
  watermark: number;
}

export function newPartitionOffsets(generation: number, offset: number): PartitionOffsets {
  return { generation, offsets: [], done: [], head: 0, firstSlot: 0, watermark: offset };
}

/** Notes a record as handed out. @returns its slot, or undefined when it was handed out before. */
export function begin(partition: PartitionOffsets, offset: number): number | undefined {
  const last = partition.offsets[partition.offsets.length - 1];
  if (offset < partition.watermark || (last !== undefined && offset <= last)) return undefined;
  partition.offsets.push(offset);
  partition.done.push(false);
  return partition.firstSlot + partition.offsets.length - 1;
}

/** Notes the slot as finished. @returns whether `watermark` moved. */
export function finish(partition: PartitionOffsets, slot: number): boolean {
  const { offsets, done } = partition;
  done[slot - partition.firstSlot] = true;
  const before = partition.head;
  let head = before;
  while (head < done.length && done[head] === true) head++;
  if (head === before) return false;
  partition.watermark = (offsets[head - 1] as number) + 1;
  partition.head = head;
  // Cut off in large pieces, so that finishing costs constant time on average.
  if (head === done.length || head >= CUT_AT) cut(partition);
  return true;
}

const CUT_AT = 4_096;

function cut(partition: PartitionOffsets): void {
  const { head } = partition;
  partition.offsets = partition.offsets.slice(head);
  partition.done = partition.done.slice(head);
  partition.firstSlot += head;
  partition.head = 0;
}
