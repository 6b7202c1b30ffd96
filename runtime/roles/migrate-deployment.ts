import type { Logger } from 'pino';
import { createTopics, type TopicResult } from '../adapters/kafka/create-topics.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import type { Config } from '../config/load-config.ts';
import { kafkaRegion } from './engine-addresses.ts';

/** What became of one shard or one topic. */
export interface MigrationStep {
  readonly region: string;
  /** `shard s0`, `topic parley.deliver.eu`. */
  readonly what: string;
  readonly outcome: 'done' | TopicResult['outcome'] | 'failed';
  readonly detail: string | undefined;
}

export interface MigrateOptions {
  readonly config: Config;
  /** Every region instead of this one. */
  readonly everywhere: boolean;
  readonly log: Logger;
  readonly onStep: (step: MigrationStep) => void;
}

/**
 * Brings the schema of every shard to this release and makes the topics that are missing. Forward only, safe to repeat and
 * to run by many at once. One that fails does not keep the others from being done.
 */
export async function migrateDeployment(options: MigrateOptions): Promise<readonly MigrationStep[]> {
  const { config, everywhere, log, onStep } = options;
  const steps: MigrationStep[] = [];
  const note = (step: MigrationStep): void => {
    steps.push(step);
    onStep(step);
  };
  const regions = config.regions.filter(({ name }) => everywhere || name === config.region);
  for (const { name: region, postgres } of regions) {
    for (const { name, url } of postgres.shards) {
      const what = `shard ${name}`;
      await migrate(url, log).then(
        () => note({ region, what, outcome: 'done', detail: undefined }),
        (error: unknown) => note({ region, what, outcome: 'failed', detail: reasonOf(error) }),
      );
    }
  }
  for (const each of regions) {
    const { partitions, replicationFactor: replication, minInsyncReplicas, retentionHours } = each.kafka;
    await createTopics({
      clientId: `${config.nodeName} migrate`,
      regions: [kafkaRegion(each)],
      homes: config.regions.map(({ name }) => name),
      layout: { partitions, replication, minInsyncReplicas, retentionHours },
      log,
    }).then(
      (results) =>
        results.forEach(({ region, topic, outcome, detail }) =>
          note({ region, what: `topic ${topic}`, outcome, detail }),
        ),
      (error: unknown) =>
        note({ region: each.name, what: 'topics', outcome: 'failed', detail: reasonOf(error) }),
    );
  }
  return steps;
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
