import { hashText } from '../../../core/contract/random.ts';
import type { DeliveryEvent } from '../../../core/contract/records.ts';
import type { QueueRecord } from '../../../core/delivery/delivery-event.ts';
import type { DeliveryQueue, QueueConsumer, QueueMembership } from '../../ports/delivery-queue.ts';

/** Enough that partitions are dealt and handed over as in a larger deployment. */
const PARTITIONS = 8;
/** Records handed out at once, per partition. */
const BATCH = 512;
/** Records kept before `publish` answers `failed`; the outbox then keeps what the queue cannot. */
const CAPACITY = 200_000;

interface Partition {
  readonly index: number;
  /** `records[0]` has offset `first`; what lies below `base` is cut off now and then, not at each commit. */
  records: QueueRecord[];
  first: number;
  /** Offsets below it are committed. *Invariant:* first <= base. */
  base: number;
  end: number;
  /** Next offset to hand out to `owner`. *Invariant:* base <= next <= end. */
  next: number;
  generation: number;
  owner: Member | undefined;
}

interface Member {
  readonly consumer: QueueConsumer;
  paused: boolean;
}

/**
 * The delivery queue of one process. It is volatile, and may be: a record is lost only together with every session it
 * could have been pushed to, and those devices read the store when they come back.
 */
export function createMemoryDeliveryQueue(): DeliveryQueue {
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => emptyPartition(index));
  const members: Member[] = [];
  let depth = 0;
  let handOutDue = false;
  let closed = false;

  function emptyPartition(index: number): Partition {
    return { index, records: [], first: 0, base: 0, end: 0, next: 0, generation: 0, owner: undefined };
  }

  function put(events: readonly DeliveryEvent[]): void {
    for (const event of events) {
      const partition = partitions[hashText(event.recipient) % PARTITIONS] as Partition;
      partition.records.push({ offset: partition.end++, event });
    }
    depth += events.length;
    handOutSoon();
  }

  /** Hands out after the current call has returned, once for everything published until then. */
  function handOutSoon(): void {
    if (handOutDue || closed) return;
    handOutDue = true;
    queueMicrotask(() => {
      handOutDue = false;
      for (const partition of partitions) handOut(partition);
    });
  }

  function handOut(partition: Partition): void {
    while (!closed) {
      const { owner, next, end } = partition;
      if (owner === undefined || owner.paused || next === end) return;
      const from = next - partition.first;
      const records = partition.records.slice(from, from + BATCH);
      partition.next += records.length;
      owner.consumer.records(partition.index, partition.generation, records);
    }
  }

  /** Deals the partitions over the members; who keeps a partition keeps its generation. */
  function deal(): void {
    for (const partition of partitions) {
      const owner = members[partition.index % Math.max(1, members.length)];
      if (owner === partition.owner) continue;
      partition.owner?.consumer.revoked(partition.index);
      partition.owner = owner;
      partition.generation++;
      partition.next = partition.base;
      owner?.consumer.assigned(partition.index, partition.generation, partition.base);
    }
    handOutSoon();
  }

  function commit(member: Member, index: number, generation: number, offset: number): void {
    const partition = partitions[index];
    if (partition === undefined || partition.owner !== member || partition.generation !== generation) return;
    const finished = Math.min(offset, partition.next) - partition.base;
    if (finished <= 0) return;
    partition.base += finished;
    depth -= finished;
    const committed = partition.base - partition.first;
    if (committed < BATCH || committed * 2 < partition.records.length) return;
    partition.records = partition.records.slice(committed);
    partition.first = partition.base;
  }

  return {
    capacity: CAPACITY,
    publish(events, done) {
      const fits = !closed && depth + events.length <= CAPACITY;
      if (fits) put(events);
      queueMicrotask(() => done(fits ? 'ok' : 'failed'));
    },
    publishTransient(events) {
      if (!closed && depth + events.length <= CAPACITY) put(events);
    },
    join(consumer): QueueMembership {
      const member: Member = { consumer, paused: false };
      members.push(member);
      // Not before the caller has its membership in hand: the first records may already make it commit.
      queueMicrotask(deal);
      return {
        commit: (partition, generation, offset) => commit(member, partition, generation, offset),
        pause() {
          member.paused = true;
        },
        resume() {
          member.paused = false;
          handOutSoon();
        },
        leave() {
          members.splice(members.indexOf(member), 1);
          deal();
        },
      };
    },
    depth: () => depth,
    close() {
      closed = true;
    },
  };
}
