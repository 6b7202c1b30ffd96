import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';

/** What the broker says about a group and its topic. It is asked again when it does not know its own topic for a moment. */
export interface GroupWitness {
  /** Members of the group, when it is at rest; undefined in the midst of a rebalance. */
  membersAtRest(): Promise<number | undefined>;
  /** The offset behind the last record of each partition. */
  ends(): Promise<ReadonlyMap<number, number>>;
  /** The committed offset of each partition; the start of its log where none is committed, or one that is no more. */
  committed(): Promise<ReadonlyMap<number, number>>;
  /** Offsets that are not committed, over all partitions. */
  lag(): Promise<number>;
}

export function createGroupWitness(admin: Admin, topic: string, groupId: string): GroupWitness {
  const offsets = () => again(() => admin.fetchTopicOffsets(topic));
  const witness: GroupWitness = {
    async membersAtRest() {
      const { groups } = await again(() => admin.describeGroups([groupId]));
      const group = groups[0];
      if (group === undefined || group.state === 'Dead' || group.state === 'Empty') return 0;
      return group.state === 'Stable' ? group.members.length : undefined;
    },
    async ends() {
      return new Map((await offsets()).map(({ partition, high }) => [partition, Number(high)]));
    },
    async committed() {
      const lows = new Map((await offsets()).map(({ partition, low }) => [partition, Number(low)]));
      const answer = await again(() => admin.fetchOffsets({ groupId, topics: [topic] }));
      return new Map(
        answer[0]?.partitions.map(({ partition, offset }) => [
          partition,
          Math.max(Number(offset), lows.get(partition) ?? 0),
        ]),
      );
    },
    async lag() {
      const [ends, committed] = [await witness.ends(), await witness.committed()];
      return [...ends].reduce(
        (sum, [partition, end]) => sum + Math.max(0, end - (committed.get(partition) ?? 0)),
        0,
      );
    },
  };
  return witness;
}

/** Within this everything that can come has come. */
const SETTLE_MS = 20_000;
const LOOK_EVERY_MS = 20;

async function again<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(LOOK_EVERY_MS);
    }
  }
}

/** Waits until it holds. @throws Error that says what did not come. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
