import { describe, expect, it } from 'vitest';
import { chatId, userId } from '../../core/contract/ids.ts';
import type { DeliveryEvent } from '../../core/contract/records.ts';
import type { DeliveryWorkerEvent } from '../../core/delivery/delivery-event.ts';
import { idleWorld } from './testing-world.ts';
import type { WorkerHost } from './worker-host.ts';
import type { World } from './world.ts';

const SECOND = 1_000_000;

interface Seen {
  readonly worker: WorkerHost;
  readonly event: DeliveryWorkerEvent;
}

/** A world whose workers gather what they are told instead of handling it. */
function setUp(): { world: World; seen: Seen[] } {
  const world = idleWorld();
  const seen: Seen[] = [];
  for (const worker of world.workers) {
    worker.start();
    worker.receive = (event) => seen.push({ worker, event: event as DeliveryWorkerEvent });
  }
  const relay = world.relays[0]!;
  relay.start();
  relay.receive = () => {};
  world.engine.runUntil(SECOND, world);
  return { world, seen };
}

const events = (count: number): DeliveryEvent[] =>
  Array.from({ length: count }, (_, i) => ({
    recipient: userId(`u_${i}`),
    item: { kind: 'typing', chatId: chatId('c_1'), from: userId('u_0') },
  }));

const recipients = (seen: readonly Seen[]): string[] =>
  seen.flatMap(({ event }) => (event.kind === 'records' ? event.records.map((r) => r.event.recipient) : []));

const publish = (world: World, count: number): void => {
  world.queue.call(world.relays[0]!, { kind: 'publish', call: 99, events: events(count) });
  world.engine.runUntil(world.engine.now + SECOND / 10, world);
};

describe('DeliveryQueueNode', () => {
  it('gives each partition to one consumer and hands out every record once', () => {
    const { world, seen } = setUp();
    publish(world, 50);
    expect(recipients(seen).toSorted()).toEqual(
      events(50)
        .map((event) => event.recipient)
        .toSorted(),
    );
    const owners = new Set(seen.filter(({ event }) => event.kind === 'records').map(({ worker }) => worker));
    expect(owners.size).toBe(2);
  });

  it('refuses a call of more events than it owes to take, however often it comes', () => {
    const { world, seen } = setUp();
    const most = world.limits.publishEvents;
    const answers: unknown[] = [];
    world.relays[0]!.receive = (event) => answers.push(event);
    publish(world, most + 1);
    publish(world, most + 1);
    expect(recipients(seen)).toEqual([]);
    publish(world, most);
    expect(recipients(seen)).toHaveLength(most);
    expect(answers).toMatchObject([{ outcome: 'failed' }, { outcome: 'failed' }, { outcome: 'ok' }]);
  });

  it('hands out again what a dead consumer did not commit, to the other one', () => {
    const { world, seen } = setUp();
    publish(world, 50);
    const [dead, alive] = world.workers as [WorkerHost, WorkerHost];
    const hadDead = recipients(seen.filter(({ worker }) => worker === dead));
    seen.length = 0;
    dead.downs++;
    dead.stop(false);
    world.engine.runUntil(world.engine.now + 2 * SECOND, world);
    const again = recipients(seen);
    for (const name of hadDead) expect(again).toContain(name);
    expect(seen.every(({ worker }) => worker === alive)).toBe(true);
  });

  it('leaves out a consumer that is paused or cut off for too long, and takes it back', () => {
    const { world, seen } = setUp();
    const [away] = world.workers as [WorkerHost, WorkerHost];
    const open = world.network.block(away.index, world.queue.index, 'lost');
    world.engine.runUntil(world.engine.now + 300_000, world);
    expect(world.queue.partitions.some((partition) => partition.owner === away)).toBe(true);
    world.engine.runUntil(world.engine.now + SECOND, world);
    expect(world.queue.partitions.some((partition) => partition.owner === away)).toBe(false);
    open();
    world.engine.runUntil(world.engine.now + SECOND, world);
    expect(world.queue.partitions.some((partition) => partition.owner === away)).toBe(true);
    expect(seen.some(({ worker, event }) => worker === away && event.kind === 'assigned')).toBe(true);
  });

  it('voids the commit of a fenced consumer', () => {
    const { world, seen } = setUp();
    publish(world, 50);
    const partition = world.queue.partitions[0]!;
    const { owner, generation } = partition;
    world.queue.group.rebalance(true);
    world.queue.call(owner!, { kind: 'commit', partition: 0, generation, offset: 7 });
    world.engine.runUntil(world.engine.now + SECOND, world);
    expect(partition.committed).toBe(0);
    expect(world.probes.counts.get('queue.commit.fenced')).toBe(1);
    world.queue.call(partition.owner!, {
      kind: 'commit',
      partition: 0,
      generation: partition.generation,
      offset: 7,
    });
    world.engine.runUntil(world.engine.now + SECOND, world);
    expect(partition.committed).toBe(7);
    expect(seen.length).toBeGreaterThan(0);
  });

  it('appends nothing, a part, or all of a publish of unknown outcome', () => {
    const { world, seen } = setUp();
    world.queue.unknown.turnUp(1_000);
    const counts = new Set<number>();
    for (let i = 0; i < 40; i++) {
      seen.length = 0;
      publish(world, 3);
      counts.add(recipients(seen).length);
    }
    expect(counts).toEqual(new Set([0, 1, 2, 3]));
  });
});
