import { createServer, type Server } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exists, isRunning, ownIdentity } from '../../adapters/embedded-postgres/process-identity.ts';
import { freePorts } from '../../cluster/free-ports.ts';
import type { Engine } from './engine.ts';
import type { EnginePlan } from './engine-plan.ts';
import { httpAnswers, portIsOpen } from './port-answer.ts';
import { portOwner } from './port-owner.ts';
import {
  readServiceState,
  type ServiceProcess,
  ServiceStateError,
  writeServiceState,
} from './service-state.ts';
import { servicesDown, type ServicesOptions, servicesUp } from './services.ts';

/** Everything but the engines: a program of a few lines stands for each of them. */
let folder: string;
let said: string[];
const others: Server[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-test-'));
  said = [];
});
afterEach(async () => {
  await servicesDown(folder, undefined, () => undefined).catch(() => undefined);
  for (const server of others.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
});

const LISTEN = `require('node:http').createServer((_, res) => res.end('yes')).listen(Number(process.argv[1]), '127.0.0.1');`;
/** Takes no notice of being asked to end. */
const STUBBORN = `process.on('SIGTERM', () => {}); ${LISTEN}`;
const BROKEN = `console.error('no such table'); process.exit(3);`;

const PROGRAM = { name: 'a program', isInstalled: () => true, install: () => Promise.resolve() };

function engine(name: string, port: number, script: string = LISTEN, program = PROGRAM): Engine {
  return {
    name,
    kind: 'redis',
    program,
    port,
    prepare: () =>
      Promise.resolve({ command: process.execPath, args: ['-e', script, String(port)], version: '1' }),
    answers: () => httpAnswers(`http://127.0.0.1:${port}/`),
  };
}

const ADDRESSES: EnginePlan['addresses'] = {
  regions: [],
  redisCluster: [],
  temporal: '',
  clickhouse: '',
  s3: { endpoint: '', bucket: '', accessKeyId: '', secretAccessKey: '' },
};

function options(...engines: readonly Engine[]): ServicesOptions {
  const progress = (what: string): void => void said.push(what);
  return { folder, regions: 1, progress, plan: () => ({ engines, addresses: ADDRESSES }) };
}

async function listening(port = 0): Promise<number> {
  const server = createServer((_, response) => response.end('mine'));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  others.push(server);
  return (server.address() as AddressInfo).port;
}

/** What is started again on its port must not find a stranger's connection there. */
const freePort = async (): Promise<number> => (await freePorts(1))[0] as number;

const processNamed = (name: string): ServiceProcess | undefined =>
  readServiceState(folder)?.processes.find((each) => each.name === name);

test('what is started is remembered, left alone the second time, and ended by its pid', async () => {
  const one = engine('one', await freePort());
  await servicesUp(options(one));
  const first = processNamed('one');
  expect(first).toMatchObject({ kind: 'redis', port: one.port, version: '1' });
  await servicesUp(options(one));
  expect(processNamed('one')).toEqual(first);
  expect(said).toContain(`one: runs on port ${one.port}`);
  expect(await servicesDown(folder, undefined, () => undefined)).toEqual(['one']);
  expect(exists(first?.pid ?? 0)).toBe(false);
  expect(await servicesDown(folder, undefined, () => undefined)).toEqual([]);
});

test('two commands at once start each engine once', async () => {
  const one = engine('one', await freePort());
  const states = await Promise.all([servicesUp(options(one)), servicesUp(options(one))]);
  expect(states[0].processes).toEqual(states[1].processes);
  expect(said.filter((line) => line.startsWith('one: started'))).toHaveLength(1);
});

test('a port in use is an error that names the port and who has it; nothing is started beside it', async () => {
  const port = await listening();
  await expect(servicesUp(options(engine('one', port)))).rejects.toThrow(
    `one: port ${port} is in use by process ${process.pid}`,
  );
  expect(processNamed('one')).toBeUndefined();
  const two = { ...engine('two', await freePort()), otherPorts: [port] };
  await expect(servicesUp(options(two))).rejects.toThrow(`two: port ${port} is in use`);
});

test('one that cannot be started does not hold up the others, and its last words are told', async () => {
  const good = engine('good', await freePort());
  const bad = engine('bad', await freePort(), BROKEN);
  await expect(servicesUp(options(bad, good))).rejects.toThrow(/bad: it ended with 3\nno such table/);
  expect(await good.answers()).toBe(true);
  expect(await servicesDown(folder, undefined, () => undefined)).toEqual(['good']);
});

test('a pid that belongs to another process now is neither trusted nor killed', async () => {
  const port = await freePort();
  const stale = { name: 'one', kind: 'redis' as const, port, version: '1' };
  const stranger = { ...stale, ...ownIdentity(), started: 'another time' };
  writeServiceState(folder, { version: 1, portOffset: 0, ...ADDRESSES, processes: [stranger] });
  expect(await servicesDown(folder, undefined, () => undefined)).toEqual([]);
  writeServiceState(folder, { version: 1, portOffset: 0, ...ADDRESSES, processes: [stranger] });
  await servicesUp(options(engine('one', port)));
  const started = processNamed('one');
  expect(started?.pid).not.toBe(process.pid);
  expect(started !== undefined && isRunning(started)).toBe(true);
});

test('one that does not end when asked is killed', async () => {
  await servicesUp(options(engine('one', await freePort(), STUBBORN)));
  const { endEngine } = await import('./end-engine.ts');
  const stubborn = processNamed('one') as ServiceProcess;
  await endEngine(stubborn, 300);
  expect(isRunning(stubborn)).toBe(false);
});

test('only those that are asked for are ended; a killed one is started again', async () => {
  const one = engine('one', await freePort());
  const two: Engine = { ...engine('two', await freePort()), kind: 's3' };
  await servicesUp(options(one, two));
  expect(await servicesDown(folder, ['s3'], () => undefined)).toEqual(['two']);
  expect(await one.answers()).toBe(true);
  const before = processNamed('one') as ServiceProcess;
  process.kill(before.pid, 'SIGKILL');
  while (isRunning(before)) await new Promise((resolve) => setTimeout(resolve, 10));
  await servicesUp(options(one, two));
  expect(processNamed('one')?.pid).not.toBe(before.pid);
  expect(await one.answers()).toBe(true);
});

test('a program is installed once for all its engines, and why it cannot be is told', async () => {
  let times = 0;
  const program = { ...PROGRAM, isInstalled: () => false, install: async () => void times++ };
  await servicesUp(
    options(
      engine('one', await freePort(), LISTEN, program),
      engine('two', await freePort(), LISTEN, program),
    ),
  );
  expect(times).toBe(1);
  const failing = { ...program, install: () => Promise.reject(new Error('there is no mvn')) };
  await expect(servicesUp(options(engine('three', await freePort(), LISTEN, failing)))).rejects.toThrow(
    'a program could not be installed: there is no mvn',
  );
});

test('a state file that is broken says so and is not written over', async () => {
  writeFileSync(join(folder, 'services.json'), '{"version": 1, "processes": [{"pid": "x"}]}');
  await expect(servicesUp(options())).rejects.toThrow(ServiceStateError);
  await expect(servicesDown(folder, undefined, () => undefined)).rejects.toThrow(
    /services\.json cannot be read/,
  );
  writeFileSync(join(folder, 'services.json'), '{"ver');
  expect(() => readServiceState(folder)).toThrow(ServiceStateError);
});

test('engines that run keep their ports: another offset is refused, auto takes the first that is free', async () => {
  const base = await freePort();
  const plan = ({ portOffset }: { portOffset: number }): EnginePlan => ({
    engines: [engine('one', base + portOffset)],
    addresses: ADDRESSES,
  });
  await listening(base);
  const state = await servicesUp({ ...options(), plan, portOffset: 'auto' });
  expect(state.portOffset).toBeGreaterThan(0);
  expect(await portIsOpen(base + state.portOffset)).toBe(true);
  await expect(servicesUp({ ...options(), plan, portOffset: 0 })).rejects.toThrow(
    `run with port offset ${state.portOffset}, not 0`,
  );
  expect((await servicesUp({ ...options(), plan })).portOffset).toBe(state.portOffset);
});

test('who listens on a port is told; nobody on a free one', async () => {
  expect(portOwner(await listening())).toContain(`process ${process.pid} (`);
  expect(portOwner(await freePort())).toBeUndefined();
});
