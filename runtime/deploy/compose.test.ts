import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeDevelopmentCertificates } from '../adapters/grpc/development-certificates.ts';
import { loadConfig, type Config } from '../config/load-config.ts';
import { NODE_ROLES, type NodeRole } from '../ports/node-directory.ts';

/** What an engine of containers would find wrong only when somebody starts it. */
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const CERTIFICATES = '/etc/parley/certificates';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly stop_grace_period?: string;
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const compose = parse(readFileSync(join(FOLDER, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;
const services = Object.entries(compose.services);
const LAYOUTS = ['one-region', 'two-regions'] as const;
type Layout = (typeof LAYOUTS)[number];

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'parley-compose-'));
  const list = compose.services['certificates']?.command?.at(-1) ?? '';
  const nodes = list
    .split(/\s+/)
    .filter(Boolean)
    .map((text) => {
      const [role, name] = text.split('/') as [NodeRole, string];
      return { role, name };
    });
  await makeDevelopmentCertificates({ folder, nodes, now: Date.now() });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function activeIn(layout: Layout): (typeof services)[number][] {
  return services.filter(([, { profiles }]) => profiles === undefined || profiles.includes(layout));
}

function configOf(service: Service, layout: Layout): Config {
  const environment = Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([key, value]) => [
      key,
      value.replace('${COMPOSE_PROFILES:-one-region}', layout).replace(CERTIFICATES, folder),
    ]),
  );
  const inside = environment['PARLEY_CONFIG'] ?? '';
  expect(inside).toBe(`/etc/parley/config/${layout}.yaml`);
  return loadConfig({ path: join(FOLDER, 'compose', `${layout}.yaml`), environment });
}

test.each(LAYOUTS)(
  '%s: each process has a configuration that holds, and a certificate of its own name',
  (layout) => {
    const processes = activeIn(layout).filter(
      ([, { environment }]) => environment?.['PARLEY_CONFIG'] !== undefined,
    );
    const started = processes.map(([name, service]) => {
      const config = configOf(service, layout);
      const role = service.command?.[0] ?? '';
      if (role !== 'migrate') expect(config.nodeName).toBe(`${role}.${config.region}`);
      expect(name).toBe(`${role}-${config.region}`);
      expect(config.http.host).toBe('0.0.0.0');
      expect(config.drain.timeoutMs / 1_000).toBeLessThan(
        Number.parseInt(service.stop_grace_period ?? '0', 10),
      );
      return name;
    });
    const regions = layout === 'one-region' ? ['eu'] : ['eu', 'us'];
    const roles = [...NODE_ROLES.filter((role) => role !== 'all'), 'migrate'];
    expect(started.sort()).toEqual(
      regions.flatMap((region) => roles.map((role) => `${role}-${region}`)).sort(),
    );
  },
);

test.each(LAYOUTS)('%s: every engine that the configuration names is started', (layout) => {
  const active = activeIn(layout);
  const names = active.map(([name]) => name);
  const [, gateway] = active.find(([name]) => name === 'gateway-eu') as (typeof services)[number];
  for (const { postgres, kafka, redis } of configOf(gateway, layout).regions) {
    const hosts = [
      ...postgres.shards.map(({ url }) => new URL(url).hostname),
      ...kafka.brokers.map((broker) => broker.split(':')[0] ?? ''),
      new URL(redis.url ?? '').hostname,
    ];
    expect(hosts).toHaveLength(4);
    for (const host of hosts) expect(names).toContain(host);
  }
});

test.each(LAYOUTS)('%s: nobody waits for a service that is not started', (layout) => {
  const active = activeIn(layout);
  const names = active.map(([name]) => name);
  for (const [, service] of active)
    for (const awaited of Object.keys(service.depends_on ?? {})) expect(names).toContain(awaited);
});

test('volumes are declared and used, and ports of this machine are taken once, on loopback', () => {
  const used = services.flatMap(([, { volumes = [] }]) =>
    volumes.map((volume) => volume.split(':')[0] ?? ''),
  );
  const named = used.filter((volume) => !volume.startsWith('.'));
  expect(new Set(named)).toEqual(new Set(Object.keys(compose.volumes)));
  const ports = services.flatMap(([, service]) => service.ports ?? []);
  expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  const taken = ports.flatMap((port) => {
    const [first = 0, last = first] = (port.split(':')[1] ?? '').split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  expect(new Set(taken).size).toBe(taken.length);
});

test('images are pinned to a version', () => {
  for (const [, { image }] of services) if (image !== 'parley') expect(image).toMatch(/:[\w.-]*\d/);
});
