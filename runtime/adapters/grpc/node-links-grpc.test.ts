import { DEFAULT_LINK_LIMITS } from './link-limits.ts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chatId, connId, deviceId, nodeId, userId, type NodeId } from '../../../core/contract/ids.ts';
import { createPlacement, onePlacement, regionOf } from '../../../core/contract/placement.ts';
import type { Push } from '../../../core/session/push.ts';
import type { ServiceReply, ServiceRequest } from '../../../core/session/service-call.ts';
import type { GatewayEnd } from '../../ports/node-links.ts';
import type { GrpcNodeLinks } from './node-links-grpc.ts';
import { madeCreate, madePush, madeSubmit } from './testing/link-items-made.ts';
import { createLinkRig, type LinkRig } from './testing/link-rig.ts';

const TWO_REGIONS = createPlacement([
  { name: 'a', region: 'one', slots: [[0, 511]] },
  { name: 'b', region: 'two', slots: [[512, 1023]] },
]);

let rig: LinkRig;
beforeEach(() => {
  rig = createLinkRig();
});
afterEach(() => rig.close());

const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });

interface Heard {
  readonly pushes: Push[];
  readonly replies: ServiceReply[];
  readonly evictions: unknown[];
}
function gatewayAt(links: GrpcNodeLinks, node: string, answer = true): Heard {
  const heard: Heard = { pushes: [], replies: [], evictions: [] };
  const end: GatewayEnd = {
    push(push) {
      heard.pushes.push(push);
      if (answer) links.pushResult(push.worker, push.pushId, 'settled');
    },
    reply: (reply) => void heard.replies.push(reply),
    evict: (device, epoch) => void heard.evictions.push({ ...device, epoch }),
  };
  links.attachGateway(nodeId(node), end);
  return heard;
}
function workerAt(links: GrpcNodeLinks, node: string): [pushId: number, outcome: string][] {
  const answers: [number, string][] = [];
  links.attachWorker(nodeId(node), { pushed: (pushId, outcome) => void answers.push([pushId, outcome]) });
  return answers;
}
function serviceAt(links: GrpcNodeLinks): ServiceRequest[] {
  const requests: ServiceRequest[] = [];
  links.attachService({ request: (request) => void requests.push(request) });
  return requests;
}

describe('what is said', () => {
  it('arrives as it was, in order, in few batches, and pushes come back with their outcome', async () => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const gateway = await rig.start('gateway-1.2', 'gateway');
    const heard = gatewayAt(gateway, 'gateway-1.2');
    const answers = workerAt(worker, 'worker-1.1');
    const pushes = Array.from({ length: 5_000 }, (_, i) => madePush('worker-1.1', i));
    for (const push of pushes) worker.push(nodeId('gateway-1.2'), push);
    await soon(() => expect(answers).toHaveLength(5_000));
    expect(heard.pushes).toEqual(pushes);
    expect(answers).toEqual(pushes.map(({ pushId }) => [pushId, 'settled']));
    // 1.8 MB of items in batches of 64 KiB, and the hello.
    expect(worker.counters.batches.sent).toBeLessThan(40);
    expect(gateway.counters.received.push).toBe(5_000);
    expect(await rig.metric(worker, 'parley_links_unanswered_pushes')).toBe(0);
    expect(await rig.metric(worker, 'parley_links_queue_bytes')).toBe(0);
  });

  it('in several turns of the event loop keeps its order too, and is gathered for some milliseconds', async () => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const heard = gatewayAt(await rig.start('gateway-1.2', 'gateway'), 'gateway-1.2');
    workerAt(worker, 'worker-1.1');
    const before = performance.now();
    for (let pushId = 0; pushId < 300; pushId++) {
      worker.push(nodeId('gateway-1.2'), madePush('worker-1.1', pushId));
      if (pushId % 3 === 0) await new Promise(setImmediate);
    }
    await soon(() => expect(heard.pushes).toHaveLength(300));
    expect(heard.pushes.map((push) => push.pushId)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    // The hello, the first, and one each time that the gap is over.
    const gaps = (performance.now() - before) / DEFAULT_LINK_LIMITS.gapMs;
    expect(worker.counters.batches.sent).toBeLessThanOrEqual(3 + gaps);
  });

  it('of every kind arrives: requests, replies on the stream of the request, evictions', async () => {
    const service = await rig.start('service-1.1', 'message-service');
    const gateway = await rig.start('gateway-1.2', 'gateway');
    const other = await rig.start('gateway-2.3', 'gateway');
    const requests = serviceAt(service);
    const heard = gatewayAt(gateway, 'gateway-1.2');
    const elsewhere = gatewayAt(other, 'gateway-2.3');
    const request = madeSubmit('gateway-1.2', 'c_9', 4);
    gateway.request(request);
    gateway.evict(nodeId('gateway-2.3'), { userId: userId('u_1'), deviceId: deviceId('d_1') }, 7);
    await soon(() => expect(requests).toEqual([request]));
    await soon(() => expect(elsewhere.evictions).toEqual([{ userId: 'u_1', deviceId: 'd_1', epoch: 7 }]));
    const reply: ServiceReply = {
      kind: 'refused',
      conn: connId(4),
      code: 'overloaded',
      message: 'später "noch" einmal \u2028 ☎',
      retryAfterMs: undefined,
      clientMsgId: request.clientMsgId,
      chatId: chatId('c_9'),
    };
    service.reply(nodeId('gateway-1.2'), reply);
    await soon(() => expect(heard.replies).toEqual([reply]));
    expect(await rig.metric(service, 'parley_links_streams')).toBe(1);
    expect(await rig.metric(gateway, 'parley_links_streams')).toBe(2);
  });

  it('may be as large as a message can be, with small ones before and behind it', async () => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const heard = gatewayAt(await rig.start('gateway-1.2', 'gateway'), 'gateway-1.2');
    const answers = workerAt(worker, 'worker-1.1');
    const largest = Buffer.alloc(64 * 1024, 7).toString('base64');
    const pushes = [1, 2, 3, 4, 5, 6].map((pushId) =>
      madePush('worker-1.1', pushId, pushId % 2 === 0 ? largest : 'aGk='),
    );
    for (const push of pushes) worker.push(nodeId('gateway-1.2'), push);
    await soon(() => expect(answers).toHaveLength(6));
    expect(heard.pushes).toEqual(pushes);
  });

  it('by a role to another role of its own process needs no stream', async () => {
    const all = await rig.start('all-1.1', 'all');
    const heard = gatewayAt(all, 'all-1.1/gateway');
    const answers = workerAt(all, 'all-1.1/worker');
    const requests = serviceAt(all);
    all.push(nodeId('all-1.1/gateway'), madePush('all-1.1/worker', 1));
    all.request(madeSubmit('all-1.1/gateway', 'c_9', 4));
    all.reply(nodeId('all-1.1/gateway'), { kind: 'member-changed', conn: connId(4), chatId: chatId('c_9') });
    expect(answers).toEqual([[1, 'settled']]);
    expect(requests).toHaveLength(1);
    expect(heard.replies).toHaveLength(1);
    all.push(nodeId('all-1.1/other'), madePush('all-1.1/worker', 2));
    expect(answers.at(-1)).toEqual([2, 'unreachable']);
    expect(await rig.metric(all, 'parley_links_streams')).toBe(0);
  });

  it('to one role of a process of several reaches that role alone, over one stream', async () => {
    const [a, b] = [await rig.start('all-1.1', 'all'), await rig.start('all-2.2', 'all')];
    const heard = gatewayAt(b, 'all-2.2/gateway');
    const calls: ServiceReply[] = [];
    b.attachCaller(nodeId('all-2.2/http'), { reply: (reply) => void calls.push(reply) });
    const answers = workerAt(a, 'all-1.1/worker');
    const reply: ServiceReply = { kind: 'member-changed', conn: connId(4), chatId: chatId('c_9') };
    a.reply(nodeId('all-2.2/http'), reply);
    a.push(nodeId('all-2.2/gateway'), madePush('all-1.1/worker', 1));
    a.push(nodeId('all-2.2/nobody'), madePush('all-1.1/worker', 2));
    await soon(() => expect(answers).toHaveLength(2));
    expect(answers).toEqual([
      [1, 'settled'],
      [2, 'unreachable'],
    ]);
    expect(calls).toEqual([reply]);
    expect(heard.replies).toEqual([]);
    expect(await rig.metric(a, 'parley_links_streams')).toBe(1);
  });

  it('by two processes to each other in one moment arrives in order at both', async () => {
    const [a, b] = [await rig.start('all-1.1', 'all'), await rig.start('all-2.2', 'all')];
    const heard = [gatewayAt(a, 'all-1.1/gateway'), gatewayAt(b, 'all-2.2/gateway')];
    const answers = [workerAt(a, 'all-1.1/worker'), workerAt(b, 'all-2.2/worker')];
    for (let pushId = 0; pushId < 500; pushId++) {
      a.push(nodeId('all-2.2/gateway'), madePush('all-1.1/worker', pushId));
      b.push(nodeId('all-1.1/gateway'), madePush('all-2.2/worker', pushId));
      if (pushId % 100 === 0) await new Promise(setImmediate);
    }
    const ids = Array.from({ length: 500 }, (_, i) => i);
    await soon(() => expect(answers.map((each) => each.length)).toEqual([500, 500]));
    for (const { pushes } of heard) expect(pushes.map((push) => push.pushId)).toEqual(ids);
    for (const each of answers) expect(each).toEqual(ids.map((id) => [id, 'settled']));
  });

  it('in the name of another process is a mistake in the wiring', async () => {
    const gateway = await rig.start('gateway-1.2', 'gateway');
    expect(() => gatewayAt(gateway, 'gateway-2.3')).toThrow('node gateway-2.3 is not of process gateway-1.2');
  });
});

describe('a request', () => {
  const chats = Array.from({ length: 200 }, (_, i) => `c_${i}`);

  it('goes to a service in the region of its chat, a new chat to the region of its creator', async () => {
    const gateway = await rig.start('gateway-1.1', 'gateway', { placement: TWO_REGIONS });
    const one = serviceAt(await rig.start('service-1.2', 'message-service'));
    const two = serviceAt(await rig.start('service-2.3', 'message-service', { region: 'two' }));
    for (const chat of chats) gateway.request(madeSubmit('gateway-1.1', chat, 1));
    for (let user = 0; user < 50; user++) gateway.request(madeCreate('gateway-1.1', `u_${user}`));
    await soon(() => expect(one.length + two.length).toBe(250));
    const homes = (requests: readonly ServiceRequest[]) =>
      new Set(requests.map((r) => regionOf(TWO_REGIONS, r.kind === 'create-chat' ? r.userId : r.chatId)));
    expect([...homes(one)]).toEqual(['one']);
    expect([...homes(two)]).toEqual(['two']);
    expect(one.length).toBeGreaterThan(50);
    expect(two.length).toBeGreaterThan(50);
  });

  it('of one chat goes to one service, and only the chats of a service that goes move', async () => {
    const gateways = [await rig.start('gateway-1.1', 'gateway'), await rig.start('gateway-2.2', 'gateway')];
    const home = new Map<string, Set<string>>();
    const moved = new Map<string, string>();
    let target: (chat: string, service: string) => void = (chat, service) =>
      void home.set(chat, (home.get(chat) ?? new Set()).add(service));
    const services = new Map<string, GrpcNodeLinks>();
    for (const id of ['service-1.3', 'service-2.4', 'service-3.5']) {
      const service = await rig.start(id, 'message-service');
      services.set(id, service);
      service.attachService({
        request: (request) => {
          if (request.kind === 'submit') target(request.chatId, id);
        },
      });
    }
    for (const [i, gateway] of gateways.entries())
      for (const chat of chats) gateway.request(madeSubmit(`gateway-${i + 1}.${i + 1}`, chat, 1));
    const received = () => [...services.values()].reduce((sum, s) => sum + s.counters.received.request, 0);
    await soon(() => expect(received()).toBe(2 * chats.length));
    expect([...home.values()].every((seen) => seen.size === 1)).toBe(true);
    const shares = [...services.keys()].map((id) => [...home.values()].filter((seen) => seen.has(id)).length);
    expect(Math.min(...shares)).toBeGreaterThan(chats.length / 6);

    target = (chat, service) => void moved.set(chat, service);
    await services.get('service-2.4')?.leave();
    await soon(() => expect(gateways[0]?.counters.received.leaving).toBe(1));
    for (const chat of chats) gateways[0]?.request(madeSubmit('gateway-1.1', chat, 1));
    await soon(() => expect(moved.size).toBe(chats.length));
    for (const chat of chats) {
      const before = [...(home.get(chat) ?? [])][0];
      if (before === 'service-2.4') expect(moved.get(chat)).not.toBe(before);
      else expect(moved.get(chat)).toBe(before);
    }
  });

  it('waits a moment for a service of its region to be known, then is dropped and counted', async () => {
    const limits = { heldRequests: 3, holdMs: 50 };
    const gateway = await rig.start('gateway-1.1', 'gateway', { placement: onePlacement('two'), limits });
    serviceAt(await rig.start('service-1.2', 'message-service'));
    for (let conn = 1; conn <= 4; conn++) gateway.request(madeSubmit('gateway-1.1', 'c_9', conn));
    expect(gateway.counters.dropped['no-service']).toBe(1);
    await soon(() => expect(gateway.counters.dropped['no-service']).toBe(4));
    gateway.request(madeSubmit('gateway-1.1', 'c_9', 5));
    await soon(() => expect(gateway.counters.dropped['no-service']).toBe(5));
  });

  it('that waited goes out before those that come later, once a service of its region is known', async () => {
    const limits = { holdMs: 600_000 };
    const gateway = await rig.start('gateway-1.1', 'gateway', { placement: TWO_REGIONS, limits });
    const waited = Array.from({ length: 100 }, (_, conn) => madeSubmit('gateway-1.1', `c_${conn % 5}`, conn));
    for (const request of waited) gateway.request(request);
    const one = serviceAt(await rig.start('service-1.2', 'message-service'));
    const two = serviceAt(await rig.start('service-2.3', 'message-service', { region: 'two' }));
    gateway.request(madeSubmit('gateway-1.1', 'c_0', 100));
    await soon(() => expect(one.length + two.length).toBe(101));
    for (const requests of [one, two]) {
      const conns = requests.map((request) => ('replyTo' in request ? request.replyTo.conn : -1));
      expect(conns.length).toBeGreaterThan(10);
      expect(conns).toEqual(conns.toSorted((a, b) => a - b));
    }
    expect(gateway.counters.dropped['no-service']).toBe(0);
  });

  it('still goes to a service that the directory has forgotten while its link is up, and no longer', async () => {
    const gateway = await rig.start('gateway-1.1', 'gateway', { limits: { heldRequests: 0 } });
    const service = await rig.start('service-1.2', 'message-service');
    const requests = serviceAt(service);
    gateway.request(madeSubmit('gateway-1.1', 'c_1', 1));
    await soon(() => expect(requests).toHaveLength(1));
    rig.nodes.expire(nodeId('service-1.2'));
    gateway.request(madeSubmit('gateway-1.1', 'c_1', 2));
    await soon(() => expect(requests).toHaveLength(2));
    await service.close();
    await soon(async () => expect(await rig.metric(gateway, 'parley_links_streams')).toBe(0));
    gateway.request(madeSubmit('gateway-1.1', 'c_1', 3));
    expect(gateway.counters.dropped['no-service']).toBe(1);
  });

  it('avoids a service that leaves, before the directory tells, unless it is the only one', async () => {
    const gateway = await rig.start('gateway-1.1', 'gateway');
    const directory = { ...rig.nodes.join(), withdraw: () => Promise.resolve() };
    const leaving = await rig.start('service-1.2', 'message-service', { directory });
    const last = serviceAt(leaving);
    gateway.request(madeSubmit('gateway-1.1', 'c_1', 1));
    await soon(() => expect(last).toHaveLength(1));
    await leaving.leave();
    await soon(() => expect(gateway.counters.received.leaving).toBe(1));
    gateway.request(madeSubmit('gateway-1.1', 'c_1', 1));
    await soon(() => expect(last).toHaveLength(2));
    const requests = serviceAt(await rig.start('service-2.3', 'message-service'));
    for (const chat of chats) gateway.request(madeSubmit('gateway-1.1', chat, 1));
    await soon(() => expect(requests).toHaveLength(chats.length));
  });

  it('avoids a service whose link is down while another one lives', async () => {
    const gateway = await rig.start('gateway-1.1', 'gateway');
    const living = await rig.start('service-1.2', 'message-service');
    const requests = serviceAt(living);
    rig.nodes.join().announce({
      nodeId: nodeId('service-9.9'),
      role: 'message-service',
      region: 'one',
      address: '127.0.0.1:1',
      version: 'test',
      startedAt: 1,
    });
    for (const chat of chats) gateway.request(madeSubmit('gateway-1.1', chat, 1));
    await soon(() => expect(gateway.counters.ends.reconnects).toBeGreaterThan(0));
    const again = chats.map((chat) => madeSubmit('gateway-1.1', chat, 2));
    for (const request of again) gateway.request(request);
    const second = () => requests.filter((r) => r.kind === 'submit' && r.replyTo.conn === 2);
    await soon(() => expect(second()).toEqual(again));
  });
});

describe('hints', () => {
  it('reach the relays of the region, few for many, and the last one is not lost', async () => {
    const service = await rig.start('service-1.1', 'message-service', { limits: { hintMs: 30 } });
    const relays: number[] = [0, 0, 0];
    const regions = ['one', 'one', 'two'];
    for (const [i, region] of regions.entries()) {
      const relay = await rig.start(`relay-${i}.${10 + i}`, 'outbox-relay', { region });
      relay.attachRelay({ hint: () => void (relays[i] = (relays[i] ?? 0) + 1) });
    }
    for (let i = 0; i < 500; i++) service.hintRelays();
    await soon(() => expect(relays.slice(0, 2)).toEqual([2, 2]));
    service.hintRelays();
    await soon(() => expect(relays.slice(0, 2)).toEqual([3, 3]));
    expect(relays[2]).toBe(0);
  });

  it('are a call for the relay of the same process', async () => {
    const all = await rig.start('all-1.1', 'all');
    let hints = 0;
    all.attachRelay({ hint: () => void hints++ });
    all.hintRelays();
    expect(hints).toBe(1);
  });
});

describe('closing', () => {
  it('lets what was said arrive', async () => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const heard = gatewayAt(await rig.start('gateway-1.2', 'gateway'), 'gateway-1.2', false);
    workerAt(worker, 'worker-1.1');
    const to: NodeId = nodeId('gateway-1.2');
    worker.push(to, madePush('worker-1.1', 0));
    await soon(() => expect(heard.pushes).toHaveLength(1));
    for (let pushId = 1; pushId <= 2_000; pushId++) worker.push(to, madePush('worker-1.1', pushId));
    await worker.close();
    await soon(() => expect(heard.pushes).toHaveLength(2_001));
  });

  it('frees its peers of it: their pushes are answered and nothing is dialled again', async () => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const gateway = await rig.start('gateway-1.2', 'gateway');
    gatewayAt(gateway, 'gateway-1.2', false);
    const answers = workerAt(worker, 'worker-1.1');
    worker.push(nodeId('gateway-1.2'), madePush('worker-1.1', 1));
    await soon(() => expect(gateway.counters.received.push).toBe(1));
    await gateway.close();
    await soon(() => expect(answers).toEqual([[1, 'unreachable']]));
    worker.push(nodeId('gateway-1.2'), madePush('worker-1.1', 2));
    expect(answers.at(-1)).toEqual([2, 'unreachable']);
    expect(worker.counters.ends.reconnects).toBe(0);
  });
});
