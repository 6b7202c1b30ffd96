import type { Suite } from './script.ts';

/** Every engine whose model is compared. Each is loaded, and its engine looked for, when it is asked for. */
export const SUITES: readonly { readonly engine: string; readonly open: () => Promise<Suite> }[] = [
  { engine: 'redis', open: async () => (await import('./redis/redis-suite.ts')).openRedisSuite() },
  {
    engine: 'postgres',
    open: async () => (await import('./postgres/postgres-suite.ts')).openPostgresSuite(),
  },
  { engine: 'kafka', open: async () => (await import('./kafka/kafka-suite.ts')).openKafkaSuite() },
];
