import type { Metrics } from '../../observability/metrics.ts';
import type { PartitionProgress } from './partition-progress.ts';

/** Commits offsets through the consumer that the records came from. Rejects with kafkajs' error. */
export type CommitOffsets = (
  partitions: readonly { readonly partition: number; readonly offset: string }[],
) => Promise<void>;

/** Commits what is finished, gathered over all partitions of a consumer, one request at a time. */
export interface CommitLane {
  /** The partition's `finished` moved. */
  moved(partition: number): void;
  /** Sends at once what is due, unless a request is under way. */
  flush(): void;
  /** Settles when nothing is due and nothing under way, or no commit is possible any more. */
  idle(): Promise<void>;
  close(): void;
}

/** Errors that say that the assignment is over: whoever has the partition now begins at the offset that was committed before. */
const FENCED: readonly string[] = ['ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS'];

export function createCommitLane(options: {
  readonly partitions: ReadonlyMap<number, PartitionProgress>;
  /** Undefined while there is no assignment to commit for. */
  readonly commit: () => CommitOffsets | undefined;
  readonly everyMs: number;
  readonly metrics: Metrics;
}): CommitLane {
  const { partitions, everyMs, metrics } = options;
  const due = new Set<number>();
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> | undefined;
  let closed = false;

  function arm(): void {
    if (closed) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      flush();
    }, everyMs);
  }

  function flush(): void {
    if (sending !== undefined) return;
    const commit = options.commit();
    const offsets = takeDue();
    if (commit === undefined || offsets.length === 0) return;
    sending = send(commit, offsets).finally(() => {
      sending = undefined;
      if (due.size > 0) arm();
    });
  }

  function takeDue(): { partition: number; offset: number; progress: PartitionProgress }[] {
    const offsets = [];
    for (const partition of due) {
      const progress = partitions.get(partition);
      if (progress === undefined || progress.finished <= progress.committed) continue;
      offsets.push({ partition, offset: progress.finished, progress });
    }
    due.clear();
    return offsets;
  }

  async function send(commit: CommitOffsets, offsets: ReturnType<typeof takeDue>): Promise<void> {
    try {
      await commit(offsets.map(({ partition, offset }) => ({ partition, offset: String(offset) })));
      for (const { progress, offset } of offsets) progress.committed = offset;
      metrics.queueCommits.inc({ outcome: 'ok' });
    } catch (error) {
      const isFenced = FENCED.includes(String((error as { type?: unknown }).type));
      metrics.queueCommits.inc({ outcome: isFenced ? 'fenced' : 'failed' });
      // Fenced: the rebalance that follows revokes the partitions. Otherwise the next commit says the same or more.
      if (!isFenced) for (const { partition } of offsets) due.add(partition);
    }
  }

  return {
    moved(partition) {
      due.add(partition);
      if (sending === undefined) arm();
    },
    flush() {
      clearTimeout(timer);
      timer = undefined;
      flush();
    },
    async idle() {
      for (let tries = 0; tries < 3 && (sending !== undefined || due.size > 0); tries++) {
        flush();
        await sending;
      }
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
