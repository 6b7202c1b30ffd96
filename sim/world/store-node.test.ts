import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import type { AppendRequest } from '../../core/contract/store.ts';
import { micros } from '../../core/contract/time.ts';
import type { Host } from './host.ts';
import { idleWorld } from './testing-world.ts';
import type { World } from './world.ts';

const chat = chatId('c_1');
const user = userId('u_1');

function append(head: number): { kind: 'append'; call: number; request: AppendRequest } {
  const message = {
    chatId: chat,
    seq: head + 1,
    serverMsgId: serverMsgId(`m_${head + 1}`),
    clientMsgId: clientMsgId(`00000000-0000-7000-8000-${String(head).padStart(12, '0')}`),
    from: user,
    fromDevice: deviceId('d_1'),
    ciphertext: '',
    mediaIds: [],
    sentAt: micros(0),
  };
  const request = {
    chatId: chat,
    expectHead: head,
    expectVersion: 0,
    messages: [message],
    recipients: [user],
  };
  return { kind: 'append', call: head, request };
}

/** A world with one chat, and a service whose completions are gathered instead of handled. */
function setUp(): { world: World; service: Host; outcomes: string[] } {
  const world = idleWorld();
  const spans = [{ after: 0, upTo: OPEN_END }];
  world.store.model.createChat({
    chatId: chat,
    kind: 'group',
    members: [{ userId: user, role: 'owner', spans }],
  });
  const service = world.services[0]!;
  service.start();
  const outcomes: string[] = [];
  service.receive = (event) => outcomes.push((event as { result: { outcome: string } }).result.outcome);
  return { world, service, outcomes };
}

const head = (world: World): number => world.store.model.chats.get(chat)!.head;

describe('StoreNode', () => {
  it('answers within the patience of a client, however slow it is', () => {
    const { world, service, outcomes } = setUp();
    world.store.slowness.turnUp(1_000_000_000);
    for (let i = 0; i < 20; i++) world.store.call(service, append(i));
    world.engine.runUntil(61_000_000, world);
    expect(outcomes).toHaveLength(20);
  });

  it('answers each call once, after a latency', () => {
    const { world, service, outcomes } = setUp();
    world.store.call(service, append(0));
    world.engine.runUntil(10, world);
    expect(outcomes).toEqual([]);
    world.engine.runUntil(1_000_000, world);
    expect(outcomes).toEqual(['ok']);
    expect(head(world)).toBe(1);
  });

  it('leaves unknown what happened: some writes are applied, some are not', () => {
    const { world, service, outcomes } = setUp();
    const end = world.store.unknown.turnUp(1_000);
    let applied = 0;
    for (let i = 0; i < 40; i++) {
      const before = head(world);
      world.store.call(service, append(before));
      world.engine.runUntil(world.engine.now + 1_000_000, world);
      applied += head(world) - before;
    }
    expect(outcomes).toEqual(Array.from({ length: 40 }, () => 'unknown'));
    expect(applied).toBeGreaterThan(5);
    expect(applied).toBeLessThan(35);
    end();
    world.store.call(service, append(head(world)));
    world.engine.runUntil(world.engine.now + 1_000_000, world);
    expect(outcomes.at(-1)).toBe('ok');
  });

  it('lets a write take effect long after its caller was told `unknown`, unless its time is over', () => {
    const { world, service, outcomes } = setUp();
    const end = world.store.zombie.turnUp(1_000);
    world.store.call(service, append(0));
    world.engine.runUntil(20_000, world);
    end();
    expect([outcomes, head(world)]).toEqual([['unknown'], 0]);
    world.engine.runUntil(3_000_000, world);
    expect(head(world)).toBe(1);
    expect(world.probes.counts.get('store.zombie.ok')).toBe(1);

    world.store.zombie.turnUp(1_000);
    world.store.call(service, append(1));
    world.engine.runUntil(world.engine.now + 20_000, world);
    world.store.model.append(append(1).request);
    world.engine.runUntil(world.engine.now + 3_000_000, world);
    expect(head(world)).toBe(2);
    expect(world.probes.counts.get('store.zombie.stale')).toBe(1);
  });

  it('does nothing when it fails, and never lets a read be unknown', () => {
    const { world, service, outcomes } = setUp();
    world.store.failing.turnUp(1_000);
    world.store.call(service, append(0));
    world.engine.runUntil(1_000_000, world);
    expect([outcomes, head(world)]).toEqual([['failed'], 0]);
    const open = world.network.block(service.index, world.store.index, 'lost');
    world.store.call(service, { kind: 'load-chat', call: 1, request: { chatId: chat, sends: [] } });
    world.store.call(service, append(0));
    world.engine.runUntil(10_000_000, world);
    expect(outcomes).toEqual(['failed', 'failed', 'unknown']);
    open();
  });

  it('shows outbox rows late and out of order, but all of them', () => {
    const { world } = setUp();
    world.store.outboxDelay.turnUp(1_000_000);
    for (let i = 0; i < 20; i++) world.store.model.append(append(i).request);
    const visible = (): number[] => [...world.store.model.outbox.keys()];
    expect(visible().length).toBeLessThan(20);
    world.engine.runUntil(1_000_000, world);
    const ids = visible();
    expect(ids).not.toEqual(ids.toSorted((a, b) => a - b));
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });
});
