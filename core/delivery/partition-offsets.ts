import { addCall, callAt, type CallTable, newCallTable, takeCall } from '../contract/call-table.ts';

/**
 * Which offsets of a partition are finished. Work ends in any order; only what has nothing unfinished below it may be
 * committed, or a crash would skip it.
 */
export interface PartitionOffsets {
  readonly generation: number;
  /** What was handed out and is not finished. A slot is its number there. */
  readonly unfinished: CallTable<number>;
  /** The last offset that was handed out, or was finished before. */
  last: number;
  /** Everything below is finished. */
  watermark: number;
}

export function newPartitionOffsets(generation: number, offset: number): PartitionOffsets {
  return { generation, unfinished: newCallTable(), last: offset - 1, watermark: offset };
}

/** Notes a record as handed out. @returns its slot, or undefined when it was handed out before. */
export function begin(partition: PartitionOffsets, offset: number): number | undefined {
  if (offset <= partition.last) return undefined;
  partition.last = offset;
  return addCall(partition.unfinished, offset);
}

/** Notes the slot as finished. @returns whether `watermark` moved. */
export function finish(partition: PartitionOffsets, slot: number): boolean {
  const { unfinished } = partition;
  const { first } = unfinished;
  takeCall(unfinished, slot);
  if (unfinished.first === first) return false;
  partition.watermark = callAt(unfinished, unfinished.first) ?? partition.last + 1;
  return true;
}
