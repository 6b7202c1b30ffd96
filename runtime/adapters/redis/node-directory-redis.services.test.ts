import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeId, type NodeId } from '../../../core/contract/ids.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';
import { createRedisNodeDirectory } from './node-directory-redis.ts';
import { startRedisServer, type RedisServer } from './testing/redis-server.ts';
import { until } from './testing/until.ts';

const TIMES = { heartbeatMs: 50, ttlMs: 400, rememberMs: 60_000, fullEvery: 1_000 };

let one: RedisServer;
let two: RedisServer;
const opened: NodeDirectory[] = [];

beforeEach(async () => {
  [one, two] = await Promise.all([startRedisServer(), startRedisServer()]);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((directory) => directory.close()));
  await Promise.all([one.stop(), two.stop()]);
});

function open(region: 'one' | 'two', times: Partial<typeof TIMES> = {}): NodeDirectory {
  const directory = createRedisNodeDirectory({
    regions: [
      { region: 'one', endpoint: one.endpoint },
      { region: 'two', endpoint: two.endpoint },
    ],
    region,
    name: 'test',
    metrics: createMetrics(false),
    log: pino({ level: 'silent' }),
    times: { ...TIMES, ...times },
  });
  opened.push(directory);
  return directory;
}

const record = (id: string, region = 'one', fields: Partial<NodeRecord> = {}): NodeRecord => ({
  nodeId: nodeId(id),
  role: 'gateway',
  region,
  address: `127.0.0.1:${id.split('.')[1]}`,
  version: '0.1.0',
  startedAt: 1,
  ...fields,
});
const names = (directory: NodeDirectory): NodeId[] => [...directory.view().keys()].sort();

/** As a process that is killed: its heartbeats end, and nobody withdraws it. */
async function die(region: 'one' | 'two', node: NodeRecord): Promise<void> {
  const directory = open(region);
  directory.announce(node);
  const reader = open(region);
  await until(`${node.nodeId} is seen`, () => reader.view().has(node.nodeId));
  directory.withdraw = () => Promise.resolve();
  await directory.close();
}

describe('the node directory on Redis', () => {
  it('shows every process of every region to everybody, with all its fields', async () => {
    const [a, b] = [open('one'), open('two')];
    a.announce(record('gateway-1.7'));
    b.announce(record('service-1.8', 'two', { role: 'message-service' }));
    await until('both see both', () => names(a).length === 2 && names(b).length === 2);
    expect(a.view().get(nodeId('service-1.8'))).toEqual(
      record('service-1.8', 'two', { role: 'message-service' }),
    );
  });

  it('forgets who withdraws at once, and who dies after the time to live; listeners hear of both', async () => {
    const [a, b] = [open('one'), open('one')];
    let changes = 0;
    b.onChange(() => changes++);
    a.announce(record('gateway-1.7'));
    await until('it is seen', () => names(b).length === 1);
    const before = changes;
    await a.withdraw();
    await until('it is gone', () => names(b).length === 0);
    expect(changes).toBeGreaterThan(before);
    await die('one', record('gateway-2.9'));
    await until('the dead one is gone', () => names(b).length === 0);
  });

  it('calls its listeners and makes a new view only when something changed', async () => {
    const [a, b] = [open('one'), open('one')];
    a.announce(record('gateway-1.7'));
    await until('it is seen', () => names(b).length === 1);
    const view = b.view();
    let changes = 0;
    b.onChange(() => changes++);
    const beats = await one.admin.info('commandstats');
    const calls = (text: string): number => Number(/cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1] ?? 0);
    await until('ten more heartbeats', async () => {
      return calls(await one.admin.info('commandstats')) >= calls(beats) + 10;
    });
    expect(changes).toBe(0);
    expect(b.view()).toBe(view);
  });

  it('keeps its view while everything in Redis is lost: every process writes itself again', async () => {
    const patient = { ttlMs: 20_000 };
    const [a, b] = [open('one', patient), open('one', patient)];
    a.announce(record('gateway-1.7'));
    b.announce(record('gateway-2.8'));
    await until('both are seen', () => names(a).length === 2 && names(b).length === 2);
    let fewest = 2;
    a.onChange(() => (fewest = Math.min(fewest, a.view().size)));
    await one.admin.flushall();
    await until('both are written again', async () => (await one.admin.hlen('{parley:nodes}:records')) === 2);
    const late = open('one');
    await until('a newcomer sees both', () => names(late).length === 2);
    expect(fewest).toBe(2);
  });

  it('drops after a flush who does not write himself again', async () => {
    const [a, b] = [open('one'), open('one')];
    a.announce(record('gateway-1.7'));
    await die('one', record('gateway-2.8'));
    await until('both are seen', () => names(b).includes(nodeId('gateway-1.7')));
    await one.admin.flushall();
    await until('the living one alone', () => names(b).join() === 'gateway-1.7');
  });

  it('believes its last view while Redis is away, the other region goes on, and it comes back by itself', async () => {
    const [a, b] = [open('one'), open('two')];
    a.announce(record('gateway-1.7'));
    await until('it is seen across the border', () => names(b).length === 1);
    await one.signal('SIGKILL');
    b.announce(record('gateway-2.8', 'two'));
    await until('the other region is read', () => names(a).length === 2);
    expect(names(b)).toEqual(['gateway-1.7', 'gateway-2.8']);
    await one.restart();
    const late = open('two');
    await until('the first one has written itself again', () => names(late).length === 2);
  });

  it('believes it for a bounded time only', async () => {
    const [a, b] = [open('one'), open('two', { rememberMs: 300 })];
    a.announce(record('gateway-1.7'));
    await until('it is seen', () => names(b).length === 1);
    await one.signal('SIGKILL');
    await until('it is forgotten', () => names(b).length === 0);
  });

  it('shows the younger of two processes that have one address', async () => {
    const elder = record('gateway-1.7', 'one', { address: '127.0.0.1:99', startedAt: 5 });
    await one.admin.hset('{parley:nodes}:records', elder.nodeId, JSON.stringify(elder));
    const b = open('one');
    b.announce(record('gateway-1.8', 'one', { address: '127.0.0.1:99', startedAt: 6 }));
    await until('the younger one', () => names(b).join() === 'gateway-1.8');
    expect(await one.admin.hlen('{parley:nodes}:records')).toBe(2);
  });

  it('passes over what is no record, and a role of a newer version', async () => {
    const a = open('one');
    a.announce(record('gateway-1.7'));
    const newer = { ...record('archiver-1.3'), role: 'archiver' };
    await one.admin.hset('{parley:nodes}:records', {
      'gateway-9.1': 'nonsense',
      'gateway-9.2': JSON.stringify({ ...record('gateway-9.2'), address: 'no port' }),
      'gateway-9.3': JSON.stringify(record('gateway-9.4')),
      'archiver-1.3': JSON.stringify(newer),
      'gateway-9.5': JSON.stringify({ ...record('gateway-9.5'), zone: 'a' }),
    });
    const b = open('one');
    await until('the good ones', () => names(b).join() === 'gateway-1.7,gateway-9.5');
  });

  it('keeps the memory of those that went bounded', async () => {
    const a = open('one');
    a.announce(record('gateway-1.7'));
    const old = Array.from({ length: 1_100 }, (_, i) => [i + 1, `gateway-0.${i}`]).flat();
    await one.admin.zadd('{parley:nodes}:changes', ...(old as [number, string]));
    await until('it is cleared', async () => (await one.admin.zcard('{parley:nodes}:changes')) < 10);
    await until('the view holds', () => names(a).join() === 'gateway-1.7');
  });

  it('reads again soon when asked for somebody it lacks', async () => {
    const [a, b] = [open('one'), open('one')];
    a.announce(record('gateway-1.7'));
    // The slow reader's first look, when it connects, must find it: its next is ten minutes away.
    await until('it is announced', async () => (await one.admin.hlen('{parley:nodes}:records')) === 1);
    const slow = open('one', { heartbeatMs: 600_000 });
    await until('it has read once', () => names(slow).length === 1);
    b.announce(record('gateway-2.8'));
    await until('the other one too', async () => (await one.admin.hlen('{parley:nodes}:records')) === 2);
    expect(names(slow)).toEqual(['gateway-1.7']);
    slow.seek();
    await until('the slow reader sees it', () => names(slow).length === 2);
  });
});
