import { afterEach, beforeEach, expect, test } from 'vitest';
import { connId, deviceId, nodeId, type UserId } from '../../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import type { ListChatsResult } from '../../../core/contract/store.ts';
import { micros, SECOND } from '../../../core/contract/time.ts';
import type { GatewayEffect } from '../../../core/session/gateway-effect.ts';
import type { GatewayEvent } from '../../../core/session/gateway-event.ts';
import { createGateway, stepGateway } from '../../../core/session/gateway.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics, type Metrics } from '../../observability/metrics.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import { entryOf, RegistryUnderTest } from './contract/registry-under-test.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';
import { openRedisSessionRegistry } from './session-registry-redis.ts';
import { startRedisServer, type RedisServer } from './testing/redis-server.ts';
import { startSwitchProxy, type SwitchProxy } from './testing/switch-proxy.ts';
import { until } from './testing/until.ts';

let server: RedisServer;
let proxy: SwitchProxy;
let registry: SessionRegistry;
let metrics: Metrics;
let r: RegistryUnderTest;
beforeEach(async () => {
  server = await startRedisServer();
  proxy = await startSwitchProxy(server.port);
  await open();
});
afterEach(async () => {
  registry.close();
  await proxy.close();
  await server.stop();
});

async function open(options: { maxInFlight?: number; callTimeoutMs?: number } = {}): Promise<void> {
  metrics = createMetrics(false);
  const endpoint: RedisEndpoint = { kind: 'single', host: '127.0.0.1', port: proxy.port };
  const log = createLogger('silent', 'test');
  registry = openRedisSessionRegistry({ endpoint, region: 'here', name: 'test', metrics, log, ...options });
  const [later, watching] = [() => Promise.resolve(), () => Promise.resolve()];
  r = new RegistryUnderTest({ registry, later, watching }, process.pid);
  await until('the registry answers', answers);
}

const answers = (): Promise<boolean> =>
  registry.ping().then(
    () => true,
    () => false,
  );

/** What each kind of call answers when nobody does. */
async function everyCall(user: UserId): Promise<readonly unknown[]> {
  const entry = entryOf(user, 1, 1);
  return Promise.all([
    r.claim(entry),
    r.renew([entry, entry]),
    r.markMissed(entry),
    new Promise((resolve) => registry.lookup([user], resolve)),
    new Promise((resolve) => registry.readPresence([user], resolve)),
    registry.ping().then(
      () => 'ok',
      () => 'rejected',
    ),
  ]);
}
const NOT_ANSWERED = [{ outcome: 'failed' }, [undefined, undefined], false, [undefined], [], 'rejected'];

test('a Redis that is frozen answers nothing, late answers change nothing, and it is well when it thaws', async () => {
  registry.close();
  await open({ callTimeoutMs: 100 });
  const user = r.user();
  await server.signal('SIGSTOP');
  expect(await everyCall(user)).toEqual(NOT_ANSWERED);
  expect(await metrics.text()).toContain(
    'parley_registry_failures_total{region="here",kind="lookup",reason="timeout"} 1',
  );
  await server.signal('SIGCONT');
  await until('it answers again', answers);
  expect((await r.claim(entryOf(user, 1, 2))).outcome).toBe('held');
});

test('a cable that swallows everything is given up, and a new connection is made', async () => {
  registry.close();
  await open({ callTimeoutMs: 100 });
  proxy.mute(true);
  expect(await everyCall(r.user())).toEqual(NOT_ANSWERED);
  // The old connection would stay silent for ever: what it swallowed never arrives.
  await until('the connection is given up', async () =>
    /parley_registry_reconnects_total\{region="here"\} \d/.test(await metrics.text()),
  );
  proxy.mute(false);
  await until('it answers again', answers);
});

test('a Redis that is gone is not waited for, and back it is used without being asked for', async () => {
  const user = r.user();
  await r.claim(entryOf(user, 1, 1));
  let changes = 0;
  registry.onChanged(() => changes++);
  await server.signal('SIGKILL');
  await until('the loss is noticed', async () => !(await answers()));
  expect(await everyCall(user)).toEqual(NOT_ANSWERED);
  expect(await metrics.text()).not.toContain('reason="timeout"');
  await server.restart();
  await until('it answers again', answers);
  expect(await r.sessions(user)).toEqual([]);
  expect(await r.renew([entryOf(user, 1, 1)])).toEqual(['recreated']);
  // Another run of the server: whatever was noted there of pushes that missed a session is lost.
  await until('the change is told', () => changes > 0);
  // A broken connection alone is no change.
  changes = 0;
  proxy.cut();
  await until('it answers again', answers);
  expect(changes).toBe(0);
});

test('too many calls at once are refused, those that were taken are answered', async () => {
  registry.close();
  await open({ maxInFlight: 10 });
  const users = Array.from({ length: 6 }, () => r.user());
  const [first, second] = await Promise.all(
    [users, users].map(
      (asked) => new Promise<readonly unknown[] | undefined>((done) => registry.lookup(asked, done)),
    ),
  );
  expect(first).toEqual(users.map((user) => ({ userId: user, sessions: [] })));
  expect(second).toEqual(users.map(() => undefined));
  expect(await metrics.text()).toContain('reason="refused"} 1');
  expect(await r.lookup(users)).toEqual(users.map(() => []));
});

test('a gateway that renews all its sessions in one moment is answered for each', async () => {
  const batches = Array.from({ length: 50 }, () =>
    Array.from({ length: 512 }, () => entryOf(r.user(), 1, 1)),
  );
  const answered = await Promise.all(batches.map((batch) => r.renew(batch)));
  expect(answered).toEqual(batches.map((batch) => batch.map(() => 'recreated')));
});

test('scripts that the server forgot are sent again', async () => {
  const user = r.user();
  await server.admin.script('FLUSH');
  expect((await r.claim(entryOf(user, 1, 1))).outcome).toBe('held');
  await server.admin.script('FLUSH');
  expect(await r.sessions(user)).toEqual(['d_1 1 g1']);
});

test('a field that is no lease counts as none', async () => {
  const [user, other] = [r.user(), r.user()];
  await r.claim(entryOf(other, 1, 1));
  const spoil = (): Promise<number> =>
    server.admin.hset(`parley:session:{${user}}`, 'd_1', 'nonsense', 'seen', 'never');
  await spoil();
  expect(await r.presence(user)).toEqual({ userId: user, online: false, lastSeen: undefined });
  expect(await r.lookup([user, other])).toEqual([[], ['d_1 1 g1']]);
  await spoil();
  expect((await r.claim(entryOf(user, 1, 1))).outcome).toBe('held');
  expect(await r.sessions(user)).toEqual(['d_1 1 g1']);
});

test('a lease that ran out is remembered for a while, and then it fences nobody', async () => {
  const user = r.user();
  const key = `parley:session:{${user}}`;
  await server.admin.hset(
    key,
    'd_1',
    `9 ${Date.now() * 1_000 - DEFAULT_LIMITS.leaseMemory + 60 * SECOND} 0 g1`,
  );
  expect(await r.claim(entryOf(user, 1, 5))).toEqual({ outcome: 'fenced', epoch: 9 });
  const ended = Date.now() * 1_000 - DEFAULT_LIMITS.leaseMemory - SECOND;
  await server.admin.hset(key, 'd_1', `9 ${ended} 0 g1`);
  expect(await r.renew([entryOf(user, 1, 5)])).toEqual(['recreated']);
  await server.admin.hset(key, 'd_1', `9 ${ended} 0 g1`);
  expect(await r.sessions(user)).toEqual([]);
  expect(await server.admin.hkeys(key)).toEqual(['seen']);
  expect(await r.presence(user)).toEqual({ userId: user, online: false, lastSeen: ended });
  expect(await server.admin.pttl(key)).toBeGreaterThan(24 * 3_600 * 1_000);
});

test('whoever watches is hinted again after the hints were cut off', async () => {
  const hints: UserId[] = [];
  const watch = registry.watchPresence((user) => hints.push(user));
  const [one, two] = [r.user(), r.user()];
  watch.watch(one);
  watch.watch(two);
  watch.unwatch(two);
  await subscribers(one, 1);
  await server.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await r.claim(entryOf(one, 1, 1));
  await subscribers(one, 1);
  registry.release(entryOf(one, 1, 1));
  await until('a hint', () => hints.includes(one));
  await subscribers(two, 0);
  watch.close();
  await subscribers(one, 0);
});

const subscribers = (user: UserId, count: number): Promise<void> =>
  until(`${count} subscribe to ${user}`, async () => {
    const reply = await server.admin.call('PUBSUB', 'SHARDNUMSUB', `parley:presence:{${user}}`);
    return (reply as unknown[])[1] === count;
  });

test('all of Redis lost: the next renewal of a gateway registers everybody again, and everybody reads the heads', async () => {
  const sessions = 600;
  const gateway = gatewayWith(sessions);
  await gateway.quiet();
  const users = gateway.users;
  expect((await r.lookup(users)).filter((found) => found.length === 1)).toHaveLength(sessions);
  await server.admin.flushall();
  expect((await r.lookup(users)).filter((found) => found.length === 1)).toHaveLength(0);
  gateway.listed.clear();
  gateway.step({ kind: 'wake', timer: 'renew', conn: undefined });
  await gateway.quiet();
  expect((await r.lookup(users)).filter((found) => found.length === 1)).toHaveLength(sessions);
  // A look-up in between found nobody, so each session asks where its chats stand.
  await until('every session reads its heads', () => gateway.listed.size === sessions);
  // And the next renewal finds all as it should be.
  gateway.listed.clear();
  gateway.step({ kind: 'wake', timer: 'renew', conn: undefined });
  await gateway.quiet();
  expect(gateway.listed.size).toBe(0);
});

/** The real gateway machine with live sessions of users without chats, on the registry under test. */
function gatewayWith(sessions: number) {
  const node = nodeId('gateway-1');
  const limits = { ...DEFAULT_LIMITS, gatewayFetches: sessions };
  const state = createGateway({ nodeId: node, region: 'here', limits, seed: 1 });
  const listed = new Set<number>();
  let open = 0;

  function step(event: GatewayEvent): void {
    for (const effect of stepGateway(state, event, micros(1_000 * SECOND))) carryOut(effect);
  }
  function answer<Result>(event: (result: Result) => GatewayEvent): (result: Result) => void {
    open++;
    return (result) => {
      open--;
      step(event(result));
    };
  }
  function carryOut(effect: GatewayEffect): void {
    if (effect.kind === 'claim') {
      const { conn } = effect;
      registry.claim(
        effect.entry,
        effect.ttl,
        answer((result) => ({ kind: 'claimed', conn, result })),
      );
    } else if (effect.kind === 'renew') {
      const { conns } = effect;
      registry.renew(
        effect.entries,
        effect.ttl,
        answer((outcomes) => ({ kind: 'renewed', conns, outcomes })),
      );
    } else if (effect.kind === 'list-chats') {
      const { conn } = effect;
      listed.add(conn);
      const noChats = answer<ListChatsResult>((result) => ({ kind: 'chats', conn, result }));
      setImmediate(noChats, { outcome: 'ok', chats: [], complete: true });
    }
  }
  const users = Array.from({ length: sessions }, () => r.user());
  users.forEach((user, i) => {
    const conn = connId(i + 1);
    step({
      kind: 'open',
      conn,
      userId: user,
      deviceId: deviceId('d_1'),
      expiresAt: micros(9_000 * SECOND),
      address: undefined,
    });
    step({ kind: 'device-opened', conn, result: { outcome: 'ok', epoch: 1, confirmed: true } });
  });
  return {
    users,
    listed,
    step,
    async quiet() {
      await until('every call is answered', () => open === 0);
    },
  };
}
