import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chatId, deviceId, nodeId, userId } from '../../../core/contract/ids.ts';
import type { NodeRole } from '../../ports/node-directory.ts';
import { channelCredentials, type LinkFiles } from './link-security.ts';
import type { GrpcNodeLinks } from './node-links-grpc.ts';
import { madePush, madeSubmit } from './testing/link-items-made.ts';
import { LinkProxy } from './testing/link-proxy.ts';
import { createLinkRig, type LinkRig, type RigOptions } from './testing/link-rig.ts';
import { openRawLink, type RawLink } from './testing/raw-link.ts';
import { spawnGateway } from './testing/spawn-gateway.ts';

const WORKER = 'worker-1.1';
const GATEWAY = nodeId('gateway-1.2');

let rig: LinkRig;
const cleanUps: (() => unknown)[] = [];
beforeEach(() => {
  rig = createLinkRig();
});
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  await rig.close();
});

const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 15_000, interval: 5 });

type Answers = [pushId: number, outcome: string][];
async function startWorker(options: RigOptions = {}): Promise<[GrpcNodeLinks, Answers]> {
  const worker = await rig.start(WORKER, 'delivery-worker', options);
  const answers: Answers = [];
  worker.attachWorker(nodeId(WORKER), { pushed: (pushId, outcome) => void answers.push([pushId, outcome]) });
  return [worker, answers];
}
async function startGateway(
  options: RigOptions & { readonly answers?: boolean } = {},
): Promise<GrpcNodeLinks> {
  const gateway = await rig.start(GATEWAY, 'gateway', options);
  gateway.attachGateway(GATEWAY, {
    push({ worker, pushId }) {
      if (options.answers !== false) gateway.pushResult(worker, pushId, 'settled');
    },
    reply: () => undefined,
    evict: () => undefined,
  });
  return gateway;
}
const announce = (id: string, role: NodeRole, address: string): void =>
  rig.nodes
    .join()
    .announce({ nodeId: nodeId(id), role, region: 'one', address, version: 'test', startedAt: 1 });
/** A gateway behind a proxy that can be cut, with keepalive fast enough for a test. */
async function behindProxy(answers: boolean): Promise<[LinkProxy, GrpcNodeLinks]> {
  const proxy = await LinkProxy.start();
  cleanUps.push(() => proxy.close());
  const gateway = await startGateway({ advertise: proxy.address, answers });
  proxy.leadTo(gateway.listening);
  return [proxy, gateway];
}
const unreachable = (...pushIds: number[]): Answers => pushIds.map((pushId) => [pushId, 'unreachable']);

describe('a push is answered unreachable', () => {
  it('when nobody knows the gateway, at once', async () => {
    const [worker, answers] = await startWorker();
    worker.push(GATEWAY, madePush(WORKER, 1));
    expect(answers).toEqual(unreachable(1));
    expect(worker.counters.dropped['unknown-node']).toBe(1);
  });

  it('when nobody listens there, and at once while the link is known to be down', async () => {
    const [worker, answers] = await startWorker({ limits: { redialBaseMs: 60_000, redialMaxMs: 60_000 } });
    announce(GATEWAY, 'gateway', '127.0.0.1:1');
    worker.push(GATEWAY, madePush(WORKER, 1));
    worker.push(GATEWAY, madePush(WORKER, 2));
    await soon(() => expect(answers).toEqual(unreachable(1, 2)));
    worker.push(GATEWAY, madePush(WORKER, 3));
    expect(answers).toEqual(unreachable(1, 2, 3));
  });

  it('when its process is killed, whether it was given to the stream or not; typing is not answered', async () => {
    const [worker, answers] = await startWorker();
    const files = (await rig.security('gateway-1', 'gateway')) as LinkFiles;
    const gateway = await spawnGateway(GATEWAY, files);
    cleanUps.push(() => gateway.kill());
    announce(GATEWAY, 'gateway', gateway.address);
    worker.push(GATEWAY, madePush(WORKER, 1));
    await soon(() => expect(answers).toEqual([[1, 'settled']]));
    const silent = (pushId: number) => ({ ...madePush(WORKER, pushId), deviceId: deviceId('d_silent') });
    for (let pushId = 2; pushId <= 400; pushId++) worker.push(GATEWAY, silent(pushId));
    const typing = { kind: 'typing', chatId: chatId('c_1'), from: userId('u_1') } as const;
    worker.push(GATEWAY, { ...silent(401), item: typing });
    await soon(() => expect(worker.counters.bytes.sent).toBeGreaterThan(100_000));
    await gateway.kill();
    await soon(() => expect(answers).toHaveLength(400));
    expect(new Set(answers.slice(1).map(([, outcome]) => outcome))).toEqual(new Set(['unreachable']));
    expect(await rig.metric(worker, 'parley_links_unanswered_pushes')).toBe(0);
  });

  it('when the other end is there and hears nothing: keepalive finds it', async () => {
    const [proxy, gateway] = await behindProxy(false);
    const [worker, answers] = await startWorker({ limits: { keepaliveMs: 300, keepaliveTimeoutMs: 1_000 } });
    worker.push(GATEWAY, madePush(WORKER, 1));
    await soon(() => expect(gateway.counters.received.push).toBe(1));
    proxy.swallow(true);
    worker.push(GATEWAY, madePush(WORKER, 2));
    await soon(() => expect(answers).toEqual(unreachable(1, 2)));
  });

  it('when its process is frozen, and the link is made anew when it thaws', async () => {
    const [worker, answers] = await startWorker({ limits: { keepaliveMs: 300, keepaliveTimeoutMs: 1_000 } });
    const gateway = await spawnGateway(GATEWAY, (await rig.security('gateway-1', 'gateway')) as LinkFiles);
    cleanUps.push(() => gateway.kill());
    announce(GATEWAY, 'gateway', gateway.address);
    worker.push(GATEWAY, madePush(WORKER, 1));
    await soon(() => expect(answers).toEqual([[1, 'settled']]));
    gateway.child.kill('SIGSTOP');
    worker.push(GATEWAY, madePush(WORKER, 2));
    await soon(() => expect(answers.slice(1)).toEqual(unreachable(2)));
    gateway.child.kill('SIGCONT');
    await soon(async () => expect(await rig.metric(worker, 'parley_links_streams')).toBe(1));
    worker.push(GATEWAY, madePush(WORKER, 3));
    await soon(() => expect(answers.slice(2)).toEqual([[3, 'settled']]));
  });

  it('when a connection to it is accepted and nothing follows', async () => {
    const proxy = await LinkProxy.start();
    cleanUps.push(() => proxy.close());
    proxy.swallow(true);
    const [worker, answers] = await startWorker({ limits: { dialTimeoutMs: 100 } });
    announce(GATEWAY, 'gateway', proxy.address);
    worker.push(GATEWAY, madePush(WORKER, 1));
    await soon(() => expect(answers).toEqual(unreachable(1)));
  });

  it('once: an answer that comes after it changes nothing', async () => {
    const [proxy, gateway] = await behindProxy(false);
    const [worker, answers] = await startWorker();
    worker.push(GATEWAY, madePush(WORKER, 1));
    await soon(() => expect(gateway.counters.received.push).toBe(1));
    proxy.cutAll();
    await soon(() => expect(answers).toEqual(unreachable(1)));
    await soon(async () => expect(await rig.metric(worker, 'parley_links_streams')).toBe(1));
    gateway.pushResult(nodeId(WORKER), 1, 'settled');
    worker.push(GATEWAY, madePush(WORKER, 2));
    gateway.pushResult(nodeId(WORKER), 2, 'no-session');
    await soon(() => expect(answers).toHaveLength(2));
    expect(answers).toEqual([...unreachable(1), [2, 'no-session']]);
  });
});

describe('a link that broke', () => {
  it('is made anew by itself, and pushes flow again', async () => {
    const [proxy] = await behindProxy(true);
    const [worker, answers] = await startWorker();
    for (let pushId = 1; pushId <= 5; pushId++) {
      worker.push(GATEWAY, madePush(WORKER, pushId));
      await soon(() => expect(answers.filter(([, outcome]) => outcome === 'settled')).toHaveLength(pushId));
      const before = worker.counters.ends.reconnects;
      proxy.cutAll();
      await soon(() => expect(worker.counters.ends.reconnects).toBeGreaterThan(before));
    }
    expect(answers).toHaveLength(5);
  });

  it('and cannot be made anew is tried again with pauses, until the directory forgets the process', async () => {
    const [worker] = await startWorker({ limits: { redialBaseMs: 1, redialMaxMs: 5 } });
    announce(GATEWAY, 'gateway', '127.0.0.1:1');
    worker.push(GATEWAY, madePush(WORKER, 1));
    await soon(() => expect(worker.counters.ends.reconnects).toBeGreaterThan(5));
    rig.nodes.expire(GATEWAY);
    const before = worker.counters.ends.reconnects;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(worker.counters.ends.reconnects).toBe(before);
    expect(worker.counters.dropped['unknown-node']).toBe(0);
    worker.push(GATEWAY, madePush(WORKER, 2));
    expect(worker.counters.dropped['unknown-node']).toBe(1);
  });

  it('by its end: requests wait for a moment and go out when it is back', async () => {
    const proxy = await LinkProxy.start();
    cleanUps.push(() => proxy.close());
    const gateway = await rig.start('gateway-9.9', 'gateway');
    const service = await rig.start('service-1.3', 'message-service', { advertise: proxy.address });
    proxy.leadTo(service.listening);
    const seen: number[] = [];
    service.attachService({ request: (r) => void (r.kind === 'submit' && seen.push(r.replyTo.conn)) });
    gateway.request(madeSubmit('gateway-9.9', 'c_1', 1));
    await soon(() => expect(seen).toEqual([1]));
    proxy.cutAll();
    await soon(() => expect(gateway.counters.ends.reconnects).toBe(1));
    gateway.request(madeSubmit('gateway-9.9', 'c_1', 2));
    await soon(() => expect(seen).toEqual([1, 2]));
  });
});

describe('a peer that does not read', () => {
  /** Dials in as the gateway, says hello, and then reads nothing on a connection that is well. */
  async function deafGateway(worker: GrpcNodeLinks): Promise<RawLink> {
    const security = await rig.security('gateway-1', 'gateway');
    const credentials = channelCredentials(security, { name: 'worker-1', role: 'delivery-worker' });
    const deaf = openRawLink({ address: worker.address, credentials, deaf: true });
    cleanUps.push(() => deaf.close());
    deaf.say(JSON.stringify([['hello', { nodeId: GATEWAY, role: 'gateway', version: 1, oldest: 1 }]]));
    await soon(async () => expect(await rig.metric(worker, 'parley_links_streams')).toBe(1));
    return deaf;
  }

  it('fills its own queue and no more, is answered for at once beyond it, and slows nobody else', async () => {
    const queueBytes = 1_000_000;
    const [worker, answers] = await startWorker({ limits: { queueBytes, writeTimeoutMs: 600_000 } });
    await deafGateway(worker);
    const ciphertext = 'A'.repeat(8_000);
    for (let pushId = 1; pushId <= 1_000; pushId++) {
      worker.push(GATEWAY, madePush(WORKER, pushId, ciphertext));
      if (pushId % 50 === 0) await new Promise(setImmediate);
    }
    const full = worker.counters.dropped['queue-full'];
    expect(full).toBeGreaterThan(0);
    expect(answers).toHaveLength(full);
    expect(await rig.metric(worker, 'parley_links_queue_bytes')).toBeLessThanOrEqual(queueBytes);

    const other = await rig.start('gateway-2.5', 'gateway');
    other.attachGateway(nodeId('gateway-2.5'), {
      push: ({ worker: to, pushId }) => other.pushResult(to, pushId, 'settled'),
      reply: () => undefined,
      evict: () => undefined,
    });
    for (let pushId = 2_001; pushId <= 2_500; pushId++)
      worker.push(nodeId('gateway-2.5'), madePush(WORKER, pushId));
    await soon(() => expect(answers.filter(([, outcome]) => outcome === 'settled')).toHaveLength(500));
    expect(worker.counters.dropped['queue-full']).toBe(full);
  });

  it('is broken off when it has taken nothing for too long, and all its pushes are answered', async () => {
    const [worker, answers] = await startWorker({ limits: { writeTimeoutMs: 1_000, flushMs: 50 } });
    const deaf = await deafGateway(worker);
    const ciphertext = 'A'.repeat(60_000);
    for (let pushId = 1; pushId <= 100; pushId++) {
      worker.push(GATEWAY, madePush(WORKER, pushId, ciphertext));
      await new Promise(setImmediate);
    }
    await soon(() => expect(answers).toHaveLength(100));
    expect(worker.counters.ends.stalled).toBe(1);
    await soon(() => expect(deaf.ended).toBeDefined());
    expect(new Set(answers.map(([, outcome]) => outcome))).toEqual(new Set(['unreachable']));
  });

  it('holds up to so many pushes without an answer, and pushes that nobody waits for are forgotten', async () => {
    const [worker, answers] = await startWorker({ limits: { unanswered: 10, forgetMs: 1_000 } });
    await startGateway({ answers: false });
    for (let pushId = 1; pushId <= 12; pushId++) worker.push(GATEWAY, madePush(WORKER, pushId));
    expect(answers).toEqual(unreachable(11, 12));
    await soon(async () => expect(await rig.metric(worker, 'parley_links_unanswered_pushes')).toBe(0));
    expect(answers).toHaveLength(2);
  });
});

describe('an item that is too large', () => {
  it('is not sent: a push is answered, anything else is dropped, the stream goes on', async () => {
    const [worker, answers] = await startWorker({ limits: { itemBytes: 1_000 } });
    await startGateway();
    worker.push(GATEWAY, madePush(WORKER, 1, 'A'.repeat(2_000)));
    worker.push(GATEWAY, madePush(WORKER, 2));
    await soon(() =>
      expect(answers).toEqual([
        [1, 'unreachable'],
        [2, 'settled'],
      ]),
    );
    expect(worker.counters.dropped['too-large']).toBe(1);
  });
});
