import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { regionOf, shardOf } from '../../core/contract/placement.ts';
import { ConfigError } from './config-error.ts';
import { configKeys } from './config-keys.ts';
import { loadConfig, type Config } from './load-config.ts';
import { maskSecrets } from './mask-secrets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-config-'));
  for (const file of ['node.crt', 'node.key', 'authority.crt']) writeFileSync(join(folder, file), 'pem');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

type Raw = Record<string, unknown>;

/** The smallest configuration that is right: one region, two shards. */
function valid(): Raw {
  return {
    nodeName: 'gateway-1.eu',
    regions: [
      {
        name: 'eu',
        postgres: {
          shards: [
            { name: 's0', url: 'postgresql://parley:pw@db-0:5432/parley', slots: [[0, 511]] },
            { name: 's1', url: 'postgresql://parley:pw@db-1:5432/parley', slots: [[512, 1023]] },
          ],
        },
        kafka: { brokers: ['kafka-1:9092'] },
        redis: { url: 'redis://redis-1:6379' },
      },
    ],
    links: { tls: { cert: 'node.crt', key: 'node.key', ca: 'authority.crt' } },
    tokens: { development: { secretFile: 'secret' } },
  };
}

function load(raw: Raw | string, environment: Record<string, string> = {}): Config {
  const path = join(folder, 'parley.yaml');
  writeFileSync(path, typeof raw === 'string' ? raw : stringify(raw));
  return loadConfig({ path, environment });
}

/** What is wrong with a configuration, one line a fault. */
function faults(raw: Raw | string, environment: Record<string, string> = {}): readonly string[] {
  try {
    load(raw, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

/** The valid configuration with one key replaced; undefined removes it. */
function having(path: string, value: unknown): Raw {
  const raw = valid();
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at = raw;
  for (const key of keys) at = (at[key] ??= {}) as Raw;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return raw;
}

describe('a valid configuration', () => {
  test('has defaults, absolute paths, complete limits and a placement', () => {
    const config = load(having('limits.deliveryTasks', 7));
    expect(config.region).toBe('eu');
    expect(config.http).toEqual({ host: '127.0.0.1', port: 8080, trustProxy: false, allowedOrigins: [] });
    expect(config.links.tls.cert).toBe(join(folder, 'node.crt'));
    expect(config.limits.deliveryTasks).toBe(7);
    expect(config.limits.heartbeat).toBe(DEFAULT_LIMITS.heartbeat);
    expect(regionOf(config.placement, 'c_9')).toBe('eu');
    expect([0, 1]).toContain(shardOf(config.placement, 'c_9'));
  });

  test('is JSON as well', () => {
    expect(load(JSON.stringify(valid())).nodeName).toBe('gateway-1.eu');
  });

  test('takes the file that PARLEY_CONFIG names, and no file at all', () => {
    load(valid());
    const named = loadConfig({ environment: { PARLEY_CONFIG: join(folder, 'parley.yaml') } });
    expect(named.nodeName).toBe('gateway-1.eu');
    const { nodeName: _, ...rest } = valid();
    const alone = loadConfig({
      environment: {
        PARLEY_NODE_NAME: 'api-1',
        PARLEY_REGIONS: JSON.stringify(rest['regions']),
        PARLEY_TOKENS__DEVELOPMENT__SECRET_FILE: join(folder, 'secret'),
        PARLEY_LINKS__TLS__CERT: join(folder, 'node.crt'),
        PARLEY_LINKS__TLS__KEY: join(folder, 'node.key'),
        PARLEY_LINKS__TLS__CA: join(folder, 'authority.crt'),
      },
    });
    expect(alone.nodeName).toBe('api-1');
  });

  test('is overridden by the environment: numbers, switches, texts, places in lists, whole lists', () => {
    const config = load(valid(), {
      PARLEY_HTTP__PORT: '9999',
      PARLEY_HTTP__TRUST_PROXY: 'true',
      PARLEY_NODE_NAME: '12345',
      PARLEY_REGIONS__0__POSTGRES__SHARDS__1__URL: 'postgresql://other:5432/parley',
      PARLEY_REGIONS__0__KAFKA__BROKERS: '["a:1","b:2"]',
      PARLEY_LIMITS__DRAIN_SPREAD: '1000',
      PARLEY_LOG__LEVEL: '',
    });
    expect(config.http).toMatchObject({ port: 9999, trustProxy: true });
    expect(config.nodeName).toBe('12345');
    expect(config.regions[0]?.postgres.shards[1]?.url).toBe('postgresql://other:5432/parley');
    expect(config.regions[0]?.kafka.brokers).toEqual(['a:1', 'b:2']);
    expect(config.limits.drainSpread).toBe(1_000);
    expect(config.log.level).toBe('info');
  });

  test('reads passwords from files, without their last line feed', () => {
    writeFileSync(join(folder, 'password'), 'p@ss word\n');
    const raw = having('regions.0.redis', { url: 'redis://redis-1:6379', passwordFile: 'password' });
    expect(load(raw).regions[0]?.redis.url).toBe('redis://:p%40ss%20word@redis-1:6379');
  });

  test('takes 0 for the interval of a rate, which lifts its limit', () => {
    expect(load(having('limits.deviceSendInterval', 0)).limits.deviceSendInterval).toBe(0);
  });

  test.each([
    'https://id.example/keys',
    'http://localhost:9/keys',
    'http://127.0.0.1/keys',
    'http://[::1]:9/k',
  ])('takes a key set from %s', (url) => {
    expect(load(having('tokens', { jwks: { url } })).tokens.jwks?.url).toBe(url);
  });

  test('cuts the drain of devices to the time that a process has', () => {
    const { limits } = load(having('drain.timeoutMs', 5_000));
    expect(limits.drainTimeout).toBe(4_000_000);
    expect(limits.drainSpread).toBe(2_000_000);
  });

  test('is printed without its secrets', () => {
    const { placement: _, ...config } = load(valid());
    const printed = JSON.stringify(maskSecrets(config));
    expect(printed).toContain('postgresql://parley:***@db-0:5432/parley');
    expect(printed).not.toContain('pw@');
  });
});

describe('a wrong value is named with what was given and what is allowed', () => {
  const s0 = 'regions.0.postgres.shards.0';
  test.each([
    ['http.port', '80x', 'http.port: "80x" is not a port from 0 to 65535'],
    ['http.port', 65_536, 'http.port: 65536 is not a port from 0 to 65535'],
    ['http.host', 'a b', 'http.host: "a b" is not a host name or an IP address'],
    ['http.prot', 1, 'http.prot: there is no such key; did you mean port?'],
    ['htpp', {}, 'htpp: there is no such key; did you mean http?'],
    ['zebra', 1, /^zebra: there is no such key; there are nodeName, region, regions/],
    [
      'nodeName',
      'Gateway_1',
      'nodeName: "Gateway_1" is not a DNS name of small letters, digits, dashes and dots',
    ],
    ['links', undefined, 'links: is missing; it takes keys and values'],
    ['links.tls.ca', 'gone.crt', /^links.tls.ca: ".*gone.crt" does not exist$/],
    ['links.advertise', 'here', 'links.advertise: "here" is not host:port, such as broker-1:9092'],
    [
      'http.allowedOrigins',
      ['https://app.example/'],
      'http.allowedOrigins.0: "https://app.example/" is not an origin as browsers say it',
    ],
    ['log.level', 'loud', 'log.level: "loud" is not one of debug, info, warn, error, silent'],
    ['limits.frameByte', 1, 'limits.frameByte: there is no such key; did you mean frameBytes?'],
    ['limits.frameBytes', 0, /^limits.frameBytes: 0 is not an integer from 1 to /],
    ['limits.countInterval', 0, /^limits.countInterval: 0 is not an integer from 1 to /],
    ...['http://id.example/keys', 'http://127.0.0.1.example/keys', 'http://localhost@id.example/keys'].map(
      (url): [string, unknown, RegExp] => [
        'tokens',
        { jwks: { url } },
        /^tokens.jwks.url: "http.*" is not a URL that starts with https:\/\//,
      ],
    ),
    ['limits.heartbeat', 1e9, /^limits.heartbeat: 1000000000 is not at most silence/],
    ['limits.pollWait', 61e6, /^limits.pollWait: 61000000 is not at most pollSilence/],
    [
      'limits.ciphertextBytes',
      96 * 1024,
      /^limits.frameBytes: 98304 is less than a SEND with ciphertextBytes/,
    ],
    ['limits.socketBufferBytes', 4_000, /^limits.socketBufferBytes: 4000 is less than twice the answers/],
    ['limits.drainTimeout', 31e6, /^limits.drainTimeout: 31000000 is not at most drain.timeoutMs/],
    ['region', 'us', 'region: "us" is not one of the regions, eu'],
    ['regions', [], 'regions: [] is not a list of regions'],
    [
      `${s0}.url`,
      'mysql://db/parley',
      `${s0}.url: "mysql://db/parley" is not a URL that starts with postgresql:// or postgres://`,
    ],
    [
      `${s0}.url`,
      'postgresql://db:5432',
      `${s0}.url: names no database; write postgresql://host:5432/database`,
    ],
    [
      `${s0}.url`,
      'postgresql://db/p?options=-c%20synchronous_commit%3Doff',
      `${s0}.url: sets synchronous_commit = off, which loses acknowledged messages; leave it on`,
    ],
    [`${s0}.name`, 's1', 'regions.*.postgres.shards.*.name: "s1" is used twice; each has its own'],
    [
      `${s0}.slots`,
      [[0, 510]],
      'regions.*.postgres.shards.*.slots: slot 511 is in no shard; together they cover 0 to 1023',
    ],
    [
      `${s0}.slots`,
      [[0, 600]],
      'regions.0.postgres.shards.1.slots: slots 512 to 600 are also in regions.0.postgres.shards.0.slots; a slot has one shard',
    ],
    [
      `${s0}.slots`,
      [
        [5, 4],
        [0, 511],
      ],
      `${s0}.slots: [5, 4] is not a range; the lower slot comes first`,
    ],
    [`${s0}.slots.0.1`, 1_024, `${s0}.slots.0.1: 1024 is not`],
    [
      'regions.0.kafka.brokers',
      'kafka:9092',
      'regions.0.kafka.brokers: "kafka:9092" is not a list of host:port',
    ],
    [
      'regions.0.kafka.minInsyncReplicas',
      4,
      /^regions.0.kafka.minInsyncReplicas: 4 is not within 1 to replicationFactor \(3\)/,
    ],
    ['regions.0.redis', {}, 'regions.0.redis: has neither url nor nodes; give one of the two'],
    ['regions.0.redis.nodes', ['a:1'], 'regions.0.redis: has both url and nodes; give one of the two'],
    ['regions.0.redis.url', 'redis://r/a', 'regions.0.redis.url: /a is not a database such as /2'],
    ['tokens', {}, 'tokens: has neither development nor jwks; give one of the two'],
    ['tokens.jwks', { url: 'https://id/keys' }, 'tokens: has both development and jwks; give one of the two'],
    ['media', { kind: 'ftp' }, 'media.kind: "ftp" is not one of filesystem, s3'],
    ['media', { kind: 'filesystem' }, /^media.folder: is missing; it takes a path/],
  ])('%s = %j', (key, value, expected) => {
    const found = faults(having(key, value));
    if (typeof expected === 'string') expect(found.join('\n')).toContain(expected);
    else expect(found.some((fault) => expected.test(fault))).toBe(true);
  });

  test('all of them at once, those of the environment by their variable', () => {
    const raw = having('http.port', -1);
    (raw['links'] as Raw)['prot'] = 1;
    expect(faults(raw, { PARLEY_LOG__LEVEL: 'loud', PARLEY_HTPP__PORT: '1' })).toEqual([
      'htpp (PARLEY_HTPP__PORT): there is no such key; did you mean http?',
      'http.port: -1 is not a port from 0 to 65535',
      'links.prot: there is no such key; did you mean port?',
      'log.level (PARLEY_LOG__LEVEL): "loud" is not one of debug, info, warn, error, silent',
    ]);
  });

  test('a secret is not repeated', () => {
    const raw = having('regions.0.postgres.shards.0.url', 'mysql://parley:hunter2@db/parley');
    const [fault] = faults(raw);
    expect(fault).toContain('mysql://parley:***@db/parley');
    expect(fault).not.toContain('hunter2');
  });

  test('without another broker, events are not safe outside development', () => {
    const raw = having('tokens', { jwks: { url: 'https://id.example/keys' } });
    const kafka = (raw['regions'] as Raw[])[0]?.['kafka'] as Raw;
    kafka['minInsyncReplicas'] = 1;
    expect(faults(raw)).toEqual([
      'regions.0.kafka.minInsyncReplicas: 1 loses events with one broker; outside development it is 2 or more',
    ]);
  });

  test('several regions need to be told apart', () => {
    const raw = valid();
    (raw['regions'] as Raw[]).push(structuredClone((raw['regions'] as Raw[])[0] as Raw));
    const found = faults(raw);
    expect(found).toContain('regions.1.name: "eu" is used twice; each has its own');
    expect(found).toContain('region: is missing; with several regions it takes one of eu, eu');
  });

  test('a file that is not there, no YAML, or no keys', () => {
    expect(() => loadConfig({ path: '/nowhere.yaml', environment: {} })).toThrow(
      '/nowhere.yaml: there is no such file',
    );
    expect(() => loadConfig({ path: folder, environment: {} })).toThrow(`${folder}: is not a file`);
    expect(faults('a: [1')[0]).toMatch(/parley.yaml: .*line 1, column \d+$/);
    expect(faults('- 1')[0]).toContain('holds no keys');
    expect(faults('region: *secret')[0]).toMatch(/parley.yaml: .*alias.*secret/);
  });

  test('variables that Kubernetes sets for services are not keys, other unknown ones are faults', () => {
    const links = {
      PARLEY_GATEWAY_SERVICE_HOST: '10.0.0.1',
      PARLEY_GATEWAY_SERVICE_PORT_HTTP: '80',
      PARLEY_GATEWAY_PORT: 'tcp://10.0.0.1:80',
      PARLEY_GATEWAY_PORT_80_TCP_ADDR: '10.0.0.1',
    };
    expect(faults(valid(), links)).toEqual([]);
    expect(faults(valid(), { PARLEY_PORT_NUMBER: '1' })[0]).toMatch(/PARLEY_PORT_NUMBER/);
  });
});

test('the table of keys names every section of the schema, and variables that are understood', () => {
  const keys = configKeys();
  expect(keys.map(({ key }) => key)).toEqual(
    expect.arrayContaining(['http.port', 'regions.0.redis.nodes', 'media.bucket', 'limits.frameBytes']),
  );
  const port = keys.find(({ key }) => key === 'http.port');
  expect(keys.find(({ key }) => key === 'media.kind')).toMatchObject({
    allowed: '"filesystem" or "s3"',
    description: 'where media are kept',
  });
  expect(port).toMatchObject({ variable: 'PARLEY_HTTP__PORT', fallback: '8080' });
  expect(load(valid(), { [port?.variable ?? '']: '1234' }).http.port).toBe(1234);
});
