import { describe, expect, it } from 'vitest';
import { Draws } from '../engine/draws.ts';
import { runScenario } from '../run.ts';
import { inTwoRegions } from '../properties/draw-topology.ts';
import type { Fault, Topology } from '../scenario.ts';
import { beginRun } from '../world/begin-run.ts';
import { idleWorld, sends, SMALL, smallScenario } from '../world/testing-world.ts';
import { FAULT_KINDS, faultKind } from './fault-kinds.ts';
import type { FaultKind } from './fault-kind.ts';

const SECOND = 1_000_000;
const SAFETY = 10 * SECOND;
const DRAWS = 8;

/** Where the kind can strike: one region, or two for what needs a border. */
function topologyFor(kind: FaultKind): Topology {
  return kind.targets(SMALL).length > 0 ? SMALL : inTwoRegions(SMALL);
}

function drawn(kind: FaultKind): Fault[] {
  const setting = { topology: topologyFor(kind), safetyMicros: SAFETY };
  return Array.from({ length: DRAWS }, (_, i) => kind.draw(new Draws(i, 7), setting)!);
}

describe('every kind of fault', () => {
  it('has a name of its own, that of its file', () => {
    expect(new Set(FAULT_KINDS.map((kind) => kind.kind)).size).toBe(FAULT_KINDS.length);
    for (const kind of FAULT_KINDS) {
      expect(faultKind(kind.kind)).toBe(kind);
      expect(kind.kind).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(kind.classes.length).toBeGreaterThan(0);
    }
    expect(faultKind('gremlins')).toBeUndefined();
  });

  for (const kind of FAULT_KINDS) {
    it(`${kind.kind}: is drawn within the safety phase, at one of its targets, and said in one sentence`, () => {
      for (const fault of drawn(kind)) {
        expect(fault.kind).toBe(kind.kind);
        expect(kind.targets(topologyFor(kind))).toContain(fault.target);
        expect(fault.at).toBeGreaterThanOrEqual(0);
        expect(fault.at + fault.for).toBeLessThanOrEqual(SAFETY);
        for (const value of [fault.at, fault.for, fault.amount]) expect(Number.isInteger(value)).toBe(true);
        const words = kind.describe(fault);
        expect(words).toMatch(/^\S.*\S$/);
        expect(words).not.toMatch(/undefined|NaN|\n/);
      }
    });

    it(`${kind.kind}: leaves nothing behind when it ends, early or late`, () => {
      for (const [i, fault] of drawn(kind).entries()) {
        const world = idleWorld(smallScenario({ ops: sends(20, 50_000), topology: topologyFor(kind) }));
        beginRun(world);
        world.engine.runUntil(SECOND, world);
        const end = kind.begin(world, fault, new Draws(i, 1));
        world.engine.runUntil(
          world.engine.now + (i % 2 === 0 ? fault.for : Math.floor(fault.for / 3)),
          world,
        );
        end();
        world.engine.runUntil(world.engine.now + 3 * fault.for + SECOND, world);
        expect(world.network.isTroubled).toBe(false);
        expect(world.hosts.filter((host) => !host.up).map((host) => host.name)).toEqual([]);
        expect(
          world.hosts.some((host) => host.paused || host.downs !== 0 || host.serviceTime.value > 0),
        ).toBe(false);
        const { store, queue, registry } = world;
        const dials = [
          store.unknown,
          store.zombie,
          store.failing,
          store.slowness,
          store.outboxDelay,
          store.retention,
        ];
        dials.push(queue.unknown, queue.failing, queue.duplicating);
        dials.push(
          registry.failing,
          registry.slowness,
          registry.full,
          registry.backlog,
          registry.hintsDropped,
        );
        for (const { tokens, upgradesBlocked, pollLoss } of world.devices)
          dials.push(tokens.delay, tokens.careless, upgradesBlocked, pollLoss);
        expect(store.model.keepsNothing).toBe(false);
        expect(dials.map((dial) => dial.value)).toEqual(dials.map(() => 0));
      }
    });

    it(`${kind.kind}: is survived by every promise`, () => {
      for (const fault of drawn(kind).slice(0, 3)) {
        const result = runScenario(
          smallScenario({
            ops: sends(30, 200_000),
            faults: [fault],
            topology: topologyFor(kind),
            transports: ['auto', 'poll', 'websocket'],
          }),
        );
        expect(result.violation).toBeUndefined();
        expect(result.verdict).toBe('pass');
        expect(result.probes.get(`fault.${kind.kind}`)).toBe(1);
      }
    });
  }
});
