/** Where the engines of one region of a development cluster are. */
export interface RegionEngines {
  /** Two shards; without a database, which each cluster has of its own. */
  readonly postgres: readonly { readonly host: string; readonly port: number; readonly user: string }[];
  readonly redis: { readonly host: string; readonly port: number };
  readonly kafka: { readonly brokers: readonly string[] };
}

const SHARDS = 2;

/** The ports that `parley services` uses unless it is told otherwise. */
export function defaultEngines(regions: number): readonly RegionEngines[] {
  const host = '127.0.0.1';
  return Array.from({ length: regions }, (_, i) => ({
    postgres: Array.from({ length: SHARDS }, (__, k) => ({ host, port: 5_540 + 10 * i + k, user: 'parley' })),
    redis: { host, port: 6_390 + i },
    kafka: { brokers: [`${host}:${9_192 + i}`] },
  }));
}
