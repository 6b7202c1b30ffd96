import type { Logger } from 'pino';
import type { Config } from '../config/load-config.ts';
import { examineKafka } from './examine-kafka.ts';
import { examineCertificate, examineNodes } from './examine-links.ts';
import { examineMedia } from './examine-media.ts';
import { examinePostgres } from './examine-postgres.ts';
import { examineRedis } from './examine-redis.ts';
import { examineReplica } from './examine-replica.ts';
import { examineTokens } from './examine-tokens.ts';
import { examineTraces } from './examine-traces.ts';
import type { Examination, Finding } from './finding.ts';

export interface DoctorOptions {
  readonly config: Config;
  /** No question waits longer. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** Asks everything that this configuration names, all at once, and says what is wrong and what to do. Never rejects. */
export async function examineDeployment(options: DoctorOptions): Promise<readonly Finding[]> {
  const { config, timeoutMs } = options;
  const examinations: readonly Examination[] = [
    examineCertificate(config),
    ...config.regions.flatMap((region) => [
      ...region.postgres.shards.flatMap((shard) => [
        examinePostgres(shard, region.name, config, timeoutMs),
        ...examineReplica(shard, region.name, timeoutMs),
      ]),
      examineKafka(region, config, options),
      examineRedis(region, timeoutMs),
    ]),
    ...examineTokens(config),
    ...examineMedia(config, timeoutMs),
    ...examineTraces(config, timeoutMs),
    examineNodes(config, options),
  ];
  const findings = await Promise.all(examinations.map((each) => findingsOf(each, timeoutMs)));
  return findings.flat();
}

/** One examination, within its time; a thing that does not answer is a finding. Never rejects. */
export async function findingsOf(examination: Examination, timeoutMs: number): Promise<readonly Finding[]> {
  const { subject, region, next } = examination;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    // Several questions each, so somewhat longer than one.
    timer = setTimeout(() => reject(new Error(`does not answer within ${timeoutMs} ms`)), 2 * timeoutMs);
  });
  try {
    const notes = await Promise.race([Promise.resolve().then(() => examination.run()), late]);
    return notes.map((note) => ({ subject, region, ...note }));
  } catch (error) {
    return [{ subject, region, verdict: 'broken', detail: reasonOf(error), next }];
  } finally {
    clearTimeout(timer);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map(reasonOf).join(', ');
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}
