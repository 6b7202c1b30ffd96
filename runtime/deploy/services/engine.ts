/** The engines that the project can start on this machine, without containers: for development, tests and load. */
export type EngineKind = 'postgres' | 'redis' | 'redis-cluster' | 'kafka' | 'temporal' | 'clickhouse' | 's3';

export const ENGINE_KINDS: readonly EngineKind[] = [
  'postgres',
  'redis',
  'redis-cluster',
  'kafka',
  'temporal',
  'clickhouse',
  's3',
];

/** A process to start. It outlives the command that starts it. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Under another user, when this one is root and the program refuses it. */
  readonly runAs?: { readonly uid: number; readonly gid: number };
}

/** One process of an engine, such as a shard or a node of a cluster. */
export interface Engine {
  /** Unique, and the name of its folder: `postgres-eu-1`. */
  readonly name: string;
  readonly kind: EngineKind;
  readonly port: number;
  /** Makes what its folder must hold before the first start. @param folder exists. */
  prepare(folder: string): Promise<Launch>;
  /** @returns whether it answers as what it is. Never rejects. */
  answers(): Promise<boolean>;
  /** What must exist in it and survives a restart: a database, a bucket. Safe to repeat. */
  furnish?(): Promise<void>;
  readonly version: string;
}
