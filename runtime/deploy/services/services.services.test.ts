import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { AwsClient } from 'aws4fetch';
import { Cluster, Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRunning } from '../../adapters/embedded-postgres/process-identity.ts';
import { grpcServing } from './grpc-health.ts';
import { installNpmPackage } from './npm-package.ts';
import { installOnce } from './program-cache.ts';
import { readServiceState, type ServiceState } from './service-state.ts';
import { servicesDown, servicesUp } from './services.ts';

/** Every engine of one region, on ports of its own: they are ended at the end, which those of others must not be. */
let folder: string;
let state: ServiceState;
const up = (): Promise<ServiceState> =>
  servicesUp({ folder, regions: 1, portOffset: state?.portOffset ?? 'auto', progress: () => undefined });
const region = (): ServiceState['regions'][number] => state.regions[0] as ServiceState['regions'][number];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-services-'));
  // PostgreSQL runs under another user when this one is root.
  chmodSync(folder, 0o755);
  state = await up();
}, 600_000);

afterAll(async () => {
  await servicesDown(folder, undefined, () => undefined);
  rmSync(folder, { recursive: true, force: true });
});

test('PostgreSQL: each shard is durable and lets parley make databases', async () => {
  expect(region().postgres).toHaveLength(2);
  for (const url of region().postgres) {
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query<Record<string, string>>(
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync,
              current_setting('max_connections') AS connections, current_database() AS database`,
    );
    expect(rows).toEqual([{ fsync: 'on', sync: 'on', connections: '300', database: 'parley' }]);
    await client.query('CREATE DATABASE another');
    await client.query('DROP DATABASE another');
    await client.end();
  }
});

test('Redis: one a region, and a cluster of three that has every slot', async () => {
  const redis = new Redis(region().redis);
  expect(await redis.ping()).toBe('PONG');
  redis.disconnect();
  const nodes = state.redisCluster.map((address) => {
    const [host = '', port = ''] = address.split(':');
    return { host, port: Number(port) };
  });
  const cluster = new Cluster(nodes);
  const info = await cluster.call('CLUSTER', 'INFO');
  expect(String(info)).toContain('cluster_state:ok');
  expect(String(info)).toContain('cluster_slots_assigned:16384');
  for (const key of ['{a}:1', '{b}:1', '{c}:1']) expect(await cluster.set(key, 'x')).toBe('OK');
  cluster.disconnect();
});

test('Kafka: makes topics when told, and only then', async () => {
  const kafka = new Kafka({ clientId: 'test', brokers: region().kafka, logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'told', numPartitions: 3 }], waitForLeaders: true });
  expect((await admin.fetchTopicMetadata({ topics: ['told'] })).topics[0]?.partitions).toHaveLength(3);
  await expect(admin.fetchTopicMetadata({ topics: ['not-told'] })).rejects.toThrow();
  await admin.disconnect();
});

test('Temporal: serves workflows', async () => {
  expect(await grpcServing(state.temporal, 'temporal.api.workflowservice.v1.WorkflowService')).toBe(true);
  expect(await grpcServing(state.temporal, 'temporal.api.NoSuchService')).toBe(false);
});

test('S3: gives back what was put, and nothing else', async () => {
  const { endpoint, bucket, ...login } = state.s3;
  const client = new AwsClient({ ...login, service: 's3', region: 'us-east-1', retries: 0 });
  const url = `${endpoint}/${bucket}/some/media`;
  expect((await client.fetch(url, { method: 'PUT', body: 'bytes' })).status).toBe(200);
  expect(await (await client.fetch(url)).text()).toBe('bytes');
  expect((await client.fetch(`${url}-of-nobody`)).status).toBe(404);
});

describe('ClickHouse', () => {
  const ask = (query: string, parameters: Record<string, string> = {}, init: RequestInit = {}) =>
    fetch(`${state.clickhouse}/?${new URLSearchParams({ query, ...parameters }).toString()}`, {
      method: 'POST',
      ...init,
    });
  const text = async (...args: Parameters<typeof ask>): Promise<string> => (await ask(...args)).text();

  beforeAll(async () => {
    await text('CREATE TABLE numbers (n UInt64, word String) ENGINE = MergeTree ORDER BY n');
  });

  test('answers pings, queries in the body, formats, parameters and settings', async () => {
    expect(await (await fetch(`${state.clickhouse}/ping`)).text()).toBe('Ok.\n');
    const inBody = await fetch(state.clickhouse, {
      method: 'POST',
      body: 'SELECT 1 AS one FORMAT JSONEachRow',
    });
    expect(await inBody.text()).toBe('{"one":1}\n');
    expect(await text('SELECT {a:UInt8} + 1', { param_a: '41' })).toBe('42\n');
    expect(await text('SELECT {s:String}', { param_s: "it's" })).toBe("it's\n".replace("'", "\\'"));
    expect(await text("SELECT getSetting('max_threads')", { max_threads: '1' })).toBe('1\n');
    expect(await text('SELECT 1 AS one', { default_format: 'JSONCompactEachRow' })).toBe('[1]\n');
  });

  test('takes inserts, gzip ones too, and counts what it read', async () => {
    const insert = 'INSERT INTO numbers FORMAT JSONEachRow';
    const plain = await ask(insert, {}, { body: '{"n":1,"word":"één"}\n{"n":2,"word":"two"}\n' });
    expect(plain.status).toBe(200);
    const zipped = await ask(
      insert,
      {},
      { body: gzipSync('{"n":3,"word":"three"}\n'), headers: { 'content-encoding': 'gzip' } },
    );
    expect(zipped.status).toBe(200);
    const answer = await ask('SELECT n, word FROM numbers ORDER BY n FORMAT JSONCompactEachRow');
    expect(await answer.text()).toBe('[1, "één"]\n[2, "two"]\n[3, "three"]\n');
    expect(JSON.parse(answer.headers.get('x-clickhouse-summary') ?? '')).toMatchObject({ read_rows: '3' });
  });

  test('says what was wrong in ClickHouse’s words and codes', async () => {
    const missing = await ask('SELECT * FROM nowhere');
    expect(missing.status).toBe(404);
    expect(missing.headers.get('x-clickhouse-exception-code')).toBe('60');
    expect(await missing.text()).toMatch(/^Code: 60\. DB::Exception: .*UNKNOWN_TABLE/s);
    const wrong = await ask('SELEC 1');
    expect(wrong.headers.get('x-clickhouse-exception-code')).toBe('62');
    expect(wrong.status).toBe(400);
    const odd = await ask(
      'INSERT INTO numbers FORMAT JSONEachRow',
      {},
      {
        body: 'x',
        headers: { 'content-encoding': 'lz4' },
      },
    );
    expect(odd.status).toBe(400);
    expect(await odd.text()).toContain('lz4');
  });

  test('the official client takes it for ClickHouse', async () => {
    const version = '1.23.1';
    const home = await installOnce(`clickhouse-client-${version}`, (into) =>
      installNpmPackage(into, `@clickhouse/client@${version}`),
    );
    const { createClient } = createRequire(join(home, 'package.json'))(
      '@clickhouse/client',
    ) as OfficialClient;
    const client = createClient({
      url: state.clickhouse,
      compression: { request: true, response: true },
      clickhouse_settings: { max_threads: 1 },
      // It would print the refusal that is expected below.
      log: { level: 127 },
    });
    expect(await client.ping()).toMatchObject({ success: true });
    await client.insert({ table: 'numbers', values: [{ n: 9, word: 'nine' }], format: 'JSONEachRow' });
    const rows = await client.query({
      query: 'SELECT word FROM numbers WHERE n = {n: UInt64}',
      query_params: { n: 9 },
      format: 'JSONEachRow',
    });
    expect(await rows.json()).toEqual([{ word: 'nine' }]);
    await expect(client.query({ query: 'SELECT * FROM nowhere' })).rejects.toMatchObject({
      code: '60',
      type: 'UNKNOWN_TABLE',
    });
    await client.close();
  });
});

test('a second start finds all of them running; ended by pid, none is left and what was durable is there again', async () => {
  const first = readServiceState(folder)?.processes ?? [];
  expect(first.map(({ version }) => version)).not.toContain('unknown');
  await up();
  expect(readServiceState(folder)?.processes).toEqual(first);
  const ended = await servicesDown(folder, undefined, () => undefined);
  expect(ended).toHaveLength(first.length);
  expect(first.filter(isRunning)).toEqual([]);
  await up();
  const words = await fetch(state.clickhouse, { method: 'POST', body: 'SELECT count() > 0 FROM numbers' });
  expect(await words.text()).toBe('1\n');
  expect(readFileSync(join(folder, 'services.json'), 'utf8')).toContain('"portOffset"');
}, 120_000);

interface OfficialClient {
  createClient(options: object): {
    ping(): Promise<unknown>;
    insert(options: object): Promise<unknown>;
    query(options: object): Promise<{ json(): Promise<unknown> }>;
    close(): Promise<void>;
  };
}
