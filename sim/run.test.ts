import { describe, expect, it } from 'vitest';
import type { Fault } from './scenario.ts';
import { runScenario } from './run.ts';
import type { RunOptions, TraceRecord } from './run-result.ts';
import { sends, smallScenario } from './world/testing-world.ts';

const SECOND = 1_000_000;
const OPS = sends(30, 100_000);
const GATEWAY_CRASH: Fault = { at: 2 * SECOND, kind: 'crash', target: 'gateway-0', for: 800_000, amount: 0 };

function traced(scenario: Parameters<typeof runScenario>[0], options: RunOptions = {}): TraceRecord[] {
  const records: TraceRecord[] = [];
  runScenario(scenario, { ...options, trace: { event: (record) => records.push(record) } });
  return records;
}

describe('runScenario', () => {
  it('brings every message to everybody while a gateway crashes', () => {
    const result = runScenario(smallScenario({ ops: OPS, faults: [GATEWAY_CRASH] }));
    expect(result.violation).toBeUndefined();
    expect(result.verdict).toBe('pass');
    expect(result.probes.get('fault.crash')).toBe(1);
    const shown = traced(smallScenario({ ops: OPS, faults: [GATEWAY_CRASH] })).flatMap((record) =>
      record.effects.filter((effect) => (effect as { kind?: string }).kind === 'show'),
    );
    expect(shown).toHaveLength(30 * 3);
  });

  it('is the same event for event when it is repeated, and another with another seed', () => {
    const hashes = (seed: number): number[] => {
      const log: number[] = [];
      runScenario(smallScenario({ seed, ops: OPS, faults: [GATEWAY_CRASH] }), {
        hashes: { push: (h) => log.push(h) },
      });
      return log;
    };
    const first = hashes(1);
    expect(first.length).toBeGreaterThan(1_000);
    expect(hashes(1)).toEqual(first);
    expect(hashes(2)).not.toEqual(first);
  });

  it('is not changed by being traced or judged', () => {
    const scenario = smallScenario({ ops: OPS, faults: [GATEWAY_CRASH] });
    const plain = runScenario(scenario);
    const records: TraceRecord[] = [];
    const traced = runScenario(scenario, { trace: { event: (record) => records.push(record) } });
    expect([traced.hash, traced.events]).toEqual([plain.hash, plain.events]);
    expect(records.length).toBe(plain.events);
  });

  it('says the same over the wire: the codec loses nothing that matters', () => {
    const result = runScenario(smallScenario({ ops: OPS, faults: [GATEWAY_CRASH], wire: true }));
    expect(result.verdict).toBe('pass');
  });

  it('serves the others when a gateway never comes back', () => {
    const forEver: Fault = { ...GATEWAY_CRASH, permanent: true };
    const result = runScenario(smallScenario({ ops: OPS, faults: [forEver] }));
    expect(result.violation).toBeUndefined();
    expect(result.verdict).toBe('pass');
  });

  it('stops at the first violation and shows the events before it', () => {
    const scenario = smallScenario({ ops: OPS });
    const result = runScenario(scenario, {
      judge: ({ limits }) => ({
        observe: (o, at) =>
          o.kind === 'shown' && at > 2 * SECOND
            ? {
                oracle: 'latency',
                phase: 'safety',
                at,
                expected: 'a',
                observed: 'b',
                stuck: [String(limits.heartbeat)],
              }
            : undefined,
        settled: () => true,
        stuck: () => [],
        latencyCount: { timed: 0, slow: 0, slowest: 0 },
      }),
    });
    expect(result.verdict).toBe('safety');
    expect(result.lastEvents).toHaveLength(32);
    expect(result.lastEvents.at(-1)).toMatch(/^t=2\.\d{6} s device-\d <- gateway-\d: frame (MESSAGE|ACK)$/);
  });

  it('ends with `budget` when its events run out, and with `crash` when a machine throws', () => {
    const scenario = smallScenario({ ops: OPS });
    expect(runScenario(scenario, { maxEvents: 500 })).toMatchObject({ verdict: 'budget', events: 500 });
    const broken = smallScenario({ ops: OPS, limits: { heartbeat: Number.NaN } });
    const result = runScenario(broken);
    expect(result.verdict).toBe('crash');
    expect(result.crash?.message).toMatch(/InvariantError/);
    expect(result.lastEvents.length).toBeGreaterThan(0);
  });
});
