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

/** What an engine runs, installed once for all its processes. */
export interface Program {
  /** For people: `Kafka 4.2.1`. */
  readonly name: string;
  isInstalled(): boolean;
  /** Its installer takes one at a time: the system's package manager. */
  readonly alone?: boolean;
  /** @throws Error that says what is missing on this machine and how to get it. */
  install(): Promise<void>;
}

/** A process to start. It outlives the command that starts it. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** Under another user, when this one is root and the program refuses it. */
  readonly runAs?: { readonly uid: number; readonly gid: number } | undefined;
  /** Of the program, as it says itself. */
  readonly version: string;
}

/** One process of an engine, such as a shard or a node of a cluster. */
export interface Engine {
  /** Unique, and the name of its folder: `postgres-eu-1`. */
  readonly name: string;
  readonly kind: EngineKind;
  readonly program: Program;
  /** Where clients reach it, on 127.0.0.1. */
  readonly port: number;
  /** What else it listens on. */
  readonly otherPorts?: readonly number[];
  /** Makes what its folder must hold before the first start. Safe to repeat. @param folder exists. */
  prepare(folder: string): Promise<Launch>;
  /** @returns whether it answers as what it is. Never rejects. */
  answers(): Promise<boolean>;
  /** What must exist in it and survives a restart: a database, a bucket. Called once all engines answer; safe to repeat. */
  furnish?(): Promise<void>;
}
