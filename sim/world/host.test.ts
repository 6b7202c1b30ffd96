import { describe, expect, it } from 'vitest';
import { Host } from './host.ts';
import { idleWorld } from './testing-world.ts';
import { Timer } from './timer.ts';
import type { World } from './world.ts';

interface Job {
  readonly name: string;
  readonly effects: number;
}

/** A host whose machine carries out as many effects as an event says. */
class TestHost extends Host {
  readonly done: string[] = [];
  boots = 0;
  readonly timer = new Timer(this, { name: 'timer', effects: 1 });

  protected boot(): void {
    this.boots++;
  }
  protected lose(): void {}
  protected handle(event: object): void {
    const { name, effects } = event as Job;
    const names = Array.from({ length: effects }, (_, i) => (effects === 1 ? name : `${name}${i}`));
    this.stepped(names, (effect) => this.done.push(effect));
  }
  wake(after: number): void {
    this.arm(this.timer, after);
  }
}

/** Takes the place of service-0 in a world, so that the engine's events reach it. */
function setUp(): { world: World; host: TestHost } {
  const world = idleWorld();
  const { index, name } = world.services[0]!;
  const host = new TestHost(world, index, name);
  (world.hosts as Host[])[world.hosts.indexOf(world.services[0]!)] = host;
  host.start();
  return { world, host };
}

const job = (name: string, effects = 1): Job => ({ name, effects });

describe('Host', () => {
  it('loses the effects behind the one it dies after, and what was meant for its earlier life', () => {
    const { world, host } = setUp();
    host.crashAfter(2, () => host.stop(false));
    host.receive(job('a'));
    world.tell(host, job('late'), 10);
    host.receive(job('b', 5));
    expect(host.done).toEqual(['a', 'b0', 'b1']);
    expect(host.up).toBe(false);
    host.start();
    world.engine.runUntil(100, world);
    expect([host.done, host.boots]).toEqual([['a', 'b0', 'b1'], 2]);
  });

  it('stands still after an effect, and carries out the rest before what waited behind it', () => {
    const { host } = setUp();
    let goOn = (): void => {};
    host.pauseAfter(1, () => {
      goOn = host.pause();
    });
    host.receive(job('a', 4));
    host.receive(job('b'));
    expect(host.done).toEqual(['a0', 'a1']);
    // In the rest it stands still again, and then dies: what is left is lost.
    host.pauseAfter(0, () => {
      goOn = host.pause();
    });
    goOn();
    expect(host.done).toEqual(['a0', 'a1', 'a2']);
    host.stop(false);
    host.start();
    goOn();
    host.receive(job('c'));
    expect(host.done).toEqual(['a0', 'a1', 'a2', 'c']);
  });

  it('carries out a second step of the same turn behind the rest of the one in whose midst it stands still', () => {
    const { host } = setUp();
    let goOn = (): void => {};
    const standStill = (): void =>
      host.pauseAfter(0, () => {
        goOn = host.pause();
      });
    const twoSteps = (): void => {
      standStill();
      host.receive(job('a', 2));
      host.afterPause(() => host.done.push('b'));
    };
    twoSteps();
    expect(host.done).toEqual(['a0']);
    // Once more in the rest of the first.
    standStill();
    goOn();
    expect(host.done).toEqual(['a0', 'a1']);
    goOn();
    expect(host.done).toEqual(['a0', 'a1', 'b']);
    twoSteps();
    host.crashAfter(0, () => host.stop(false));
    goOn();
    expect(host.done).toEqual(['a0', 'a1', 'b', 'a0', 'a1']);
  });

  it('a slow one that stands still in the midst of a step takes nothing from its inbox meanwhile', () => {
    const { world, host } = setUp();
    host.slowDown(10);
    let goOn = (): void => {};
    host.pauseAfter(0, () => {
      goOn = host.pause();
    });
    host.receive(job('a', 2));
    host.receive(job('b'));
    world.engine.runUntil(100, world);
    expect(host.done).toEqual(['a0']);
    goOn();
    world.engine.runUntil(200, world);
    expect(host.done).toEqual(['a0', 'a1', 'b']);
  });

  it('gathers what comes while it stands still, due timers included, and handles it in one burst', () => {
    const { world, host } = setUp();
    host.wake(50);
    const goOn = host.pause();
    world.tell(host, job('x'), 10);
    world.tell(host, job('y'), 60);
    world.engine.runUntil(100, world);
    expect(host.done).toEqual([]);
    goOn();
    expect(host.done).toEqual(['x', 'timer', 'y']);
    host.receive(job('z'));
    expect(host.done.at(-1)).toBe('z');
  });

  it('takes its time for each event while it is slow', () => {
    const { world, host } = setUp();
    const end = host.slowDown(100);
    for (const name of ['a', 'b', 'c']) host.receive(job(name));
    world.engine.runUntil(250, world);
    expect(host.done).toEqual(['a', 'b']);
    end();
    expect(host.done).toEqual(['a', 'b', 'c']);
  });

  it('fires a timer once, at the time of its last arming, and never in another life', () => {
    const { world, host } = setUp();
    host.wake(100);
    host.wake(300);
    world.engine.runUntil(200, world);
    expect(host.done).toEqual([]);
    world.engine.runUntil(300, world);
    expect(host.done).toEqual(['timer']);
    host.wake(500);
    host.wake(50);
    world.engine.runUntil(2_000, world);
    expect(host.done).toEqual(['timer', 'timer']);
    host.wake(100);
    host.stop(false);
    host.start();
    world.engine.runUntil(4_000, world);
    expect(host.done).toHaveLength(2);
  });

  it('stays down until the last fault that holds it is over', () => {
    const { host } = setUp();
    host.downs = 2;
    host.stop(true);
    host.downs--;
    host.start();
    expect([host.up, host.dark]).toEqual([false, true]);
    host.downs--;
    host.start();
    expect([host.up, host.dark]).toEqual([true, false]);
  });

  it('runs its timers by its own drifting clock', () => {
    const { world, host } = setUp();
    host.clock.drift(-500_000, 0);
    host.wake(100);
    world.engine.runUntil(199, world);
    expect(host.done).toEqual([]);
    world.engine.runUntil(200, world);
    expect(host.done).toEqual(['timer']);
    const before = host.now();
    host.clock.step(-40);
    expect(host.now()).toBe(before - 40);
  });
});
