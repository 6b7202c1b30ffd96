/** Where a Redis is. `single`: one server, or whatever its address leads to. `cluster`: some nodes of a Redis Cluster. */
export type RedisEndpoint =
  /** `database`: 0 to 15 as Redis numbers them; default 0. */
  | ({ readonly kind: 'single'; readonly database?: number | undefined } & RedisAddress & RedisLogin)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly RedisAddress[] } & RedisLogin);

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

export interface RedisLogin {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly tls?: boolean | undefined;
}
