import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { makeDevelopmentCertificates } from '../../adapters/grpc/development-certificates.ts';
import { loadConfig, type Config } from '../../config/load-config.ts';
import { NODE_ROLES, type NodeRole } from '../../ports/node-directory.ts';
import { runCommand } from '../services/run-command.ts';
import { helm } from './helm.ts';

/** The chart as Helm renders it, judged by what Kubernetes and Parley would make of it. */
const CHART = fileURLToPath(new URL('parley', import.meta.url));
const EXAMPLE = join(CHART, 'ci', 'one-region-values.yaml');
const ROLES = NODE_ROLES.filter((role) => role !== 'all');

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  readonly data: Readonly<Record<string, string>>;
  readonly spec: {
    readonly replicas?: number;
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } & Readonly<
      Record<string, unknown>
    >;
    readonly template: { readonly metadata: Manifest['metadata']; readonly spec: Pod };
    readonly scaleTargetRef: { readonly name: string };
    readonly uris: readonly string[];
    readonly secretName: string;
    readonly rules: readonly { readonly http: { readonly paths: readonly IngressPath[] } }[];
  };
}
interface Pod {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes: readonly { readonly name: string; readonly secret?: { readonly secretName: string } }[];
}
interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe: { readonly httpGet: { readonly path: string } };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly lifecycle: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
}
interface IngressPath {
  readonly path: string;
  readonly backend: { readonly service: { readonly name: string } };
}

let program: string;
let folder: string;
let manifests: readonly Manifest[];
beforeAll(async () => {
  program = await helm();
  folder = mkdtempSync(join(tmpdir(), 'parley-chart-'));
  manifests = await render();
}, 900_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function render(...args: string[]): Promise<readonly Manifest[]> {
  const how = ['--kube-version', '1.31.0', '--values', EXAMPLE, ...args];
  const text = await runCommand(program, ['template', 'parley', CHART, ...how]);
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as Manifest;
  });
}

const ofKind = (kind: string, among = manifests): readonly Manifest[] =>
  among.filter((each) => each.kind === kind);
const podOf = (role: NodeRole): Pod =>
  (ofKind('Deployment').find(({ metadata }) => metadata.name === `parley-${role}`) as Manifest).spec.template
    .spec;
const containerOf = (role: NodeRole): Container => podOf(role).containers[0] as Container;

/** The configuration as the process would read it: mounted files are made in a folder of the test. */
async function configOf(role: NodeRole, among = manifests): Promise<Config> {
  const at = join(folder, role);
  const name = `${role}.eu`;
  const [files] = (
    await makeDevelopmentCertificates({ folder: at, nodes: [{ role, name }], now: Date.now() })
  ).values();
  mkdirSync(join(at, 'secrets'), { recursive: true });
  for (const secret of ['db-0', 'db-1', 'redis', 's3'])
    writeFileSync(join(at, 'secrets', secret), 'a password\n');
  const text = (ofKind('ConfigMap', among)[0]?.data['parley.yaml'] ?? '')
    .replace('/etc/parley/certificates/tls.crt', files?.certificate ?? '')
    .replace('/etc/parley/certificates/tls.key', files?.key ?? '')
    .replace('/etc/parley/certificates/ca.crt', files?.authority ?? '')
    .replaceAll('/etc/parley/secrets', join(at, 'secrets'));
  writeFileSync(join(at, 'parley.yaml'), text);
  const variables = containerOf(role)
    .env.filter(({ name: key, value }) => value !== undefined && key !== 'PARLEY_CONFIG')
    .map(({ name: key, value = '' }) => [key, value.replace('$(POD_IP)', '10.0.0.1')] as const);
  return loadConfig({ path: join(at, 'parley.yaml'), environment: Object.fromEntries(variables) });
}

test('Helm finds nothing wrong', async () => {
  await runCommand(program, ['lint', '--strict', CHART, '--values', EXAMPLE]);
});

test('each role is a deployment that runs it, after its migration', () => {
  expect(ofKind('Deployment').map(({ metadata }) => metadata.name)).toEqual(
    [...ROLES].sort().map((role) => `parley-${role}`),
  );
  for (const role of ROLES) {
    expect(containerOf(role).args).toEqual([role]);
    expect(podOf(role).initContainers?.map(({ args }) => args)).toEqual([['migrate']]);
    expect(containerOf(role).livenessProbe.httpGet.path).toBe('/healthz');
    expect(containerOf(role).readinessProbe.httpGet.path).toBe('/readyz');
  }
});

test.each(ROLES)('%s: its configuration holds, and its certificate carries its name', async (role) => {
  const config = await configOf(role);
  expect(config.nodeName).toBe(`${role}.eu`);
  expect(config.links.advertise).toBe('10.0.0.1:7443');
  expect(new URL(config.regions[0]?.postgres.shards[0]?.url ?? '').password).toBe('a%20password');
  const ports = containerOf(role).ports.map(({ containerPort }) => containerPort);
  expect(ports).toEqual([config.http.port, config.links.port]);
  const certificate = ofKind('Certificate').find(
    ({ metadata }) => metadata.labels['app.kubernetes.io/component'] === role,
  );
  expect(certificate?.spec.uris).toEqual([`spiffe://parley/${role}/${config.nodeName}`]);
  const mounted = podOf(role).volumes.find(({ name }) => name === 'certificates');
  expect(mounted?.secret?.secretName).toBe(certificate?.spec.secretName);
});

test.each([
  ['behind the Ingress', [], true],
  ['without one', ['--set', 'ingress.enabled=false'], false],
  ['as it is told, without one', ['--set', 'ingress.enabled=false,http.trustProxy=true'], true],
  ['as it is told, behind the Ingress', ['--set', 'http.trustProxy=false'], false],
] as const)('a proxy is believed %s', async (_when, args, believed) => {
  expect((await configOf('gateway', await render(...args))).http.trustProxy).toBe(believed);
});

test.each(ROLES)('%s: Kubernetes waits longer than the drain takes', async (role) => {
  const config = await configOf(role);
  const { seconds } = containerOf(role).lifecycle.preStop.sleep;
  expect(podOf(role).terminationGracePeriodSeconds).toBeGreaterThan(seconds + config.drain.timeoutMs / 1_000);
});

test('selectors find the pods that they mean, and no others', () => {
  const pods = ofKind('Deployment').map(({ spec }) => spec.template.metadata.labels);
  const selects = (labels: Readonly<Record<string, unknown>>) =>
    pods.filter((pod) => Object.entries(labels).every(([key, value]) => pod[key] === value));
  const selectors = [
    ...[...ofKind('Deployment'), ...ofKind('PodDisruptionBudget')].map(
      ({ spec }) => spec.selector.matchLabels,
    ),
    ...ofKind('Service').map(({ spec }) => spec.selector),
  ];
  expect(selectors).toHaveLength(12);
  for (const selector of selectors) expect(selects(selector)).toHaveLength(1);
});

test('what is mounted is a volume of the pod', () => {
  for (const role of ROLES) {
    const volumes = podOf(role).volumes.map(({ name }) => name);
    for (const { name } of containerOf(role).volumeMounts) expect(volumes).toContain(name);
  }
});

test('who is scaled has no fixed number of replicas, who is not has one', async () => {
  const scaled = ofKind('HorizontalPodAutoscaler').map(({ spec }) => spec.scaleTargetRef.name);
  expect(scaled).toHaveLength(4);
  for (const { metadata, spec } of ofKind('Deployment'))
    expect(spec.replicas).toBe(scaled.includes(metadata.name) ? undefined : 2);
  const none = await render('--set', 'roles.gateway.autoscaling.enabled=false');
  expect(ofKind('HorizontalPodAutoscaler', none)).toHaveLength(3);
});

test('devices reach gateways by WebSocket and by polling, and the API where it is served', () => {
  const paths = ofKind('Ingress')[0]?.spec.rules[0]?.http.paths ?? [];
  const services = Object.fromEntries(paths.map(({ path, backend }) => [path, backend.service.name]));
  expect(services).toEqual({ '/ws': 'parley-gateway', '/poll': 'parley-gateway', '/v1': 'parley-http-api' });
});

test.each([
  ['config.region=', '/config/region'],
  ['config.http.port=1', '/config'],
  ['http.trustProxy=1', '/http/trustProxy'],
  ['roles.gateway.replicas=0', '/roles/gateway/replicas'],
  ['roles.gatway.replicas=2', 'gatway'],
  ['links.certManager.issuerRef.name=', '/links/certManager'],
  ['ingress.host=', '/ingress/host'],
])('%s is refused by name', async (value, name) => {
  await expect(render('--set', value)).rejects.toThrow(name);
});
