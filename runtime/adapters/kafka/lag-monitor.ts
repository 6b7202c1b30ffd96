import type { Logger } from 'pino';
import type { Metrics } from '../../observability/metrics.ts';
import type { KafkaAdmin } from './kafka-admin.ts';
import { deliverTopic, workerGroup } from './kafka-options.ts';

/** Asks a region's Kafka now and then how many records of a home's topic wait for its workers. */
export interface LagMonitor {
  /** As of the last answer; 0 before the first. */
  readonly lag: number;
  stop(): void;
}

export function createLagMonitor(options: {
  readonly region: string;
  readonly home: string;
  readonly admin: KafkaAdmin;
  readonly everyMs: number;
  readonly metrics: Metrics;
  readonly log: Logger;
}): LagMonitor {
  const { region, home, admin, everyMs, metrics, log } = options;
  let lag = 0;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;

  async function look(): Promise<void> {
    try {
      lag = await askLag(admin, home);
      metrics.queueLag.set({ region }, lag);
    } catch (error) {
      // The last figure stays: a cut region is no empty one.
      log.debug({ queueRegion: region, err: error }, 'the lag of a region is not known');
    }
    if (!stopped) timer = setTimeout(lookAgain, everyMs);
  }

  /** It never rejects. */
  function lookAgain(): void {
    look().catch(() => undefined);
  }

  lookAgain();
  return {
    get lag() {
      return lag;
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

/** Records of the topic above what the group has committed, or above the log's start where it has committed nothing that is left. */
export async function askLag(admin: KafkaAdmin, home: string): Promise<number> {
  const topic = deliverTopic(home);
  const ends = await admin.ask((kafka) => kafka.fetchTopicOffsets(topic));
  const answer = await admin.ask((kafka) =>
    kafka.fetchOffsets({ groupId: workerGroup(home), topics: [topic] }),
  );
  const committed = new Map(
    answer[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]),
  );
  return ends.reduce((sum, { partition, high, low }) => {
    const from = Math.max(committed.get(partition) ?? 0, Number(low));
    return sum + Math.max(0, Number(high) - from);
  }, 0);
}
