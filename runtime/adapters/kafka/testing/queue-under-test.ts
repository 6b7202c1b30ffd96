import { setTimeout as sleep } from 'node:timers/promises';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../../../core/contract/ids.ts';
import { onePlacement } from '../../../../core/contract/placement.ts';
import type { DeliveryEvent } from '../../../../core/contract/records.ts';
import type { QueueRecord } from '../../../../core/delivery/delivery-event.ts';
import { micros } from '../../../../core/contract/time.ts';
import { createLogger } from '../../../observability/logger.ts';
import { createMetrics, type Metrics } from '../../../observability/metrics.ts';
import type { PublishOutcome, QueueMembership } from '../../../ports/delivery-queue.ts';
import { createTopics } from '../create-topics.ts';
import { createKafkaDeliveryQueue, type KafkaDeliveryQueue } from '../delivery-queue-kafka.ts';
import type { KafkaRegion, KafkaTuning } from '../kafka-options.ts';

const log = createLogger('silent', 'test');

/** Times a tenth of the real ones, so that what takes a timeout can be waited for. */
export const TEST_TUNING: Partial<KafkaTuning> = {
  sessionTimeoutMs: 1_500,
  rebalanceTimeoutMs: 3_000,
  heartbeatMs: 150,
  requestTimeoutMs: 2_000,
  publishTimeoutMs: 5_000,
  rebuildBaseMs: 50,
  rebuildMaxMs: 500,
  fetchWaitMs: 100,
  commitMs: 20,
  lagMs: 200,
};

export interface QueueUnderTest {
  readonly queue: KafkaDeliveryQueue;
  readonly metrics: Metrics;
  publish(...events: readonly DeliveryEvent[]): Promise<PublishOutcome>;
  /** The value of a counter or gauge, over all labels that begin with these. */
  figure(name: string, labels?: string): Promise<number>;
}

export function openQueue(
  home: string,
  regions: readonly KafkaRegion[],
  tuning: Partial<KafkaTuning> = {},
): QueueUnderTest {
  const metrics = createMetrics(false);
  const queue = createKafkaDeliveryQueue({
    clientId: `test-${home}`,
    region: home,
    regions,
    placement: onePlacement(home),
    metrics,
    log,
    tuning: { ...TEST_TUNING, ...tuning },
  });
  return {
    queue,
    metrics,
    publish: (...events) => new Promise((resolve) => queue.publish(events, resolve)),
    async figure(name, labels = '') {
      const lines = (await metrics.text()).split('\n');
      const mine = lines.filter(
        (line) => line.startsWith(`${name}{${labels}`) || line.startsWith(`${name} `),
      );
      return mine.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
  };
}

/** Makes the topics of these regions in the Kafka of each. */
export async function makeTopics(regions: readonly KafkaRegion[], partitions: number): Promise<void> {
  const layout = { partitions, replication: 1, minInsyncReplicas: 1, retentionHours: 1 };
  await createTopics({ clientId: 'test', regions, homes: regions.map(({ region }) => region), layout, log });
}

/** Message number `seq` of chat 1, to a user. */
export function event(user: number, seq: number): DeliveryEvent {
  return {
    recipient: userId(`u_${user}`),
    item: {
      kind: 'message',
      message: {
        chatId: chatId('c_1'),
        seq,
        serverMsgId: serverMsgId(`m_${seq}`),
        clientMsgId: clientMsgId('01920000-0000-7000-8000-000000000000'),
        from: userId('u_0'),
        fromDevice: deviceId('d_0'),
        ciphertext: 'AAAA',
        mediaIds: [],
        sentAt: micros(1),
      },
    },
  };
}

const seqOf = ({ event: { item } }: QueueRecord): number => (item.kind === 'message' ? item.message.seq : -1);

interface Handed {
  readonly partition: number;
  readonly generation: number;
  readonly record: QueueRecord;
}

/** A worker that notes what it is told. Finishes each record as it comes, unless it is told to hold. */
export class RecordingWorker {
  readonly handed: Handed[] = [];
  /** Partitions that it has, with their generations. */
  readonly assigned = new Map<number, number>();
  revocations = 0;
  readonly membership: QueueMembership;
  readonly #hold: boolean;

  constructor(queue: KafkaDeliveryQueue, { hold = false }: { readonly hold?: boolean } = {}) {
    this.#hold = hold;
    this.membership = queue.join({
      assigned: (partition, generation) => void this.assigned.set(partition, generation),
      revoked: (partition) => {
        this.revocations++;
        this.assigned.delete(partition);
      },
      records: (partition, generation, records) => {
        for (const record of records) this.handed.push({ partition, generation, record });
        if (!this.#hold) this.finish(records.length);
      },
    });
  }

  /** Finishes everything that was handed over, but for what `keep` says. */
  finish(last: number): void {
    for (const { partition, generation, record } of this.handed.slice(-last))
      this.membership.commit(partition, generation, record.offset + 1);
  }

  /** Sequence numbers that were handed over, in order; those of one user when one is given. */
  seqs(user?: number): number[] {
    return this.handed
      .filter(({ record }) => user === undefined || record.event.recipient === `u_${user}`)
      .map(({ record }) => seqOf(record));
  }
}

/** Waits until it holds. @throws Error with `what` after 30 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`it did not come: ${what}`);
    await sleep(10);
  }
}

/** From `first` to `last`, both included. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => first + i);
