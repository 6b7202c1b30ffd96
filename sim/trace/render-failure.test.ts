import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import type { Violation } from '../oracles/oracle.ts';
import type { RunResult } from '../run-result.ts';
import type { Op, Scenario } from '../scenario.ts';
import { eventLines, opText, systemText, timeText } from './describe-scenario.ts';
import { type Failure, failureKey, groupOf, sameFailure } from './failure.ts';
import { number, renderFailure } from './render-failure.ts';

const SCENARIO: Scenario = {
  version: 1,
  seed: 5,
  topology: {
    gateways: 2,
    services: 1,
    relays: 1,
    workers: 1,
    partitions: 1,
    users: 2,
    devices: 3,
    chats: [{ kind: 'direct', members: [0, 1] }],
  },
  knobs: { limits: { inFlightMessages: 1 }, network: 'mobile', wire: true, safetyMicros: 3_000_000 },
  ops: [
    { at: 900_000, op: 'send', device: 0, chat: 0, bytes: 1 },
    { at: 900_500, op: 'send', device: 0, chat: 0, bytes: 2 },
    { at: 2_000_000, op: 'offline', device: 2 },
  ],
  faults: [{ at: 1_200_000, kind: 'crash', target: 'gateway-1', for: 800_000, amount: 0 }],
};

const VIOLATION: Violation = {
  oracle: 'no-acked-message-lost',
  phase: 'liveness',
  at: 42_000_000,
  expected: 'd_2 of u_2 shows seq 1 of c_1 (m_1)',
  observed: 'it never did',
  stuck: ['d_2 of u_2 waits for seq 1 of c_1 (m_1)'],
};

const result = (fields: Partial<RunResult> = {}): RunResult => ({
  verdict: 'liveness',
  violation: VIOLATION,
  crash: undefined,
  hash: '0123456789abcdef',
  effectHash: undefined,
  events: 2_674,
  simulatedMicros: 42_000_000,
  probes: new Map(),
  lastEvents: Array.from({ length: 30 }, (_, i) => `event ${i}`),
  resolved: { scenario: SCENARIO, limits: DEFAULT_LIMITS },
  ...fields,
});

const failure = (fields: Partial<Failure> = {}): Failure => ({
  key: { verdict: 'liveness', cause: 'no-acked-message-lost' },
  scenario: SCENARIO,
  result: result(),
  seed: 77,
  foundSize: 40,
  minimal: true,
  necessaryFaults: ['crash'],
  ...fields,
});

const CONTEXT = {
  exitCode: 11,
  path: 'failures/x.json',
  replay: './parley sim replay failures/x.json',
  rate: { failed: 75, seeds: 1_000, fastestEvents: 2_674, fastestSeed: 9, oldestSeed: 4 },
};

describe('a failure on the screen', () => {
  test('comes in the order in which a reader asks', () => {
    const text = renderFailure(failure(), CONTEXT).join('\n');
    const wanted = [
      '✗ liveness: no-acked-message-lost (exit code 11)',
      'the scenario: 4 operations and faults, shrunk from 40',
      '2 gateways, 1 service, 1 relay, 1 worker, 1 partition; 2 users with 3 devices; chat-0 of users 0, 1',
      'network mobile, frames encoded, inFlightMessages=1',
      't=0.900 s device-0 sends 2 messages to chat-0',
      't=1.200 s gateway-1 crashes',
      't=2.000 s device-2 is switched off',
      'event 20',
      'event 29',
      't=42.000 s',
      'expected    d_2 of u_2 shows seq 1',
      'observed    it never did',
      'd_2 of u_2 waits for seq 1',
      'necessary   crash',
      'replay      ./parley sim replay failures/x.json',
      'scenario    failures/x.json',
      'hash        0123456789abcdef after 2,674 events',
      'found       seed 77, seed of the run 5',
      'seen        fails in 7.5 % of 1,000 seeds, fastest after 2,674 events (seed 9)',
    ];
    let at = 0;
    for (const part of wanted) {
      const next = text.indexOf(part, at);
      expect(next, `${part}\nin\n${text}`).toBeGreaterThanOrEqual(at);
      at = next;
    }
    expect(text).not.toContain('event 19');
  });

  test('names the node and the place in the code of a crash', () => {
    const stack =
      'InvariantError: no\n    at step (/x/core/session/gateway.ts:1:2)\n    at y (/x/node_modules/z.js:3:4)';
    const crash = { node: 'gateway-1', message: 'InvariantError: no', stack };
    const crashed = result({ verdict: 'crash', violation: undefined, crash });
    const key = failureKey(crashed)!;
    expect(key).toEqual({ verdict: 'crash', cause: 'gateway: InvariantError: no' });
    const text = renderFailure(failure({ key, result: crashed }), { ...CONTEXT, rate: undefined }).join('\n');
    expect(text).toContain('it threw: InvariantError: no');
    expect(text).toContain('core/session/gateway.ts:1:2');
    expect(text).not.toContain('node_modules');
  });

  test('has no heading for last events that there are not', () => {
    const text = renderFailure(failure({ result: result({ lastEvents: [] }) }), CONTEXT).join('\n');
    expect(text).not.toContain('the last events');
  });

  test('has at most twelve lines of scenario', () => {
    const ops = Array.from(
      { length: 50 },
      (_, i): Op => ({ at: i * 1_000, op: 'read', device: i % 3, chat: 0 }),
    );
    const lines = renderFailure(failure({ scenario: { ...SCENARIO, ops } }), CONTEXT);
    const from = lines.findIndex((line) => line.includes('the scenario:')) + 1;
    expect(lines.indexOf('', from) - from).toBe(12);
    expect(lines.join('\n')).toContain('… and 42 more, in the scenario');
  });
});

describe('grouping', () => {
  test('goes by cause and necessary faults, not by seed or node', () => {
    const a = failureKey(
      result({
        verdict: 'crash',
        violation: undefined,
        crash: { node: 'worker-1', message: 'Error: call 12', stack: '' },
      }),
    );
    const b = failureKey(
      result({
        verdict: 'crash',
        violation: undefined,
        crash: { node: 'worker-0', message: 'Error: call 7', stack: '' },
      }),
    );
    expect(sameFailure(a, b)).toBe(true);
    expect(sameFailure(a, failureKey(result()))).toBe(false);
    expect(failureKey(result({ verdict: 'pass', violation: undefined }))).toBeUndefined();
    expect(groupOf(failure({ seed: 1 }))).toBe(groupOf(failure({ seed: 2 })));
    const words = 'd_N of u_N waits for seq N of c_N (m_N)';
    expect(groupOf(failure({ necessaryFaults: [] }))).toBe(
      `liveness no-acked-message-lost with no fault: ${words}`,
    );
    const stuck = ['d_7 of u_1 waits for a connection'];
    const other = failure({ result: result({ violation: { ...VIOLATION, stuck } }) });
    expect(groupOf(other)).not.toBe(groupOf(failure()));
  });
});

describe('words', () => {
  test('of times and large numbers', () => {
    expect(timeText(1_200_000)).toBe('t=1.200 s');
    expect(number(1_234_567)).toBe('1,234,567');
  });

  test('of operations', () => {
    expect(opText({ at: 0, op: 'remove-member', by: 1, user: 1, chat: 2 })).toBe('user-1 leaves chat-2');
    expect(opText({ at: 0, op: 'remove-member', by: 0, user: 1, chat: 2 })).toBe(
      'user-0 removes user-1 from chat-2',
    );
    expect(opText({ at: 0, op: 'send', device: 3, chat: 0, bytes: 1 }, 2)).toBe(
      'device-3 sends 2 messages to chat-0',
    );
  });

  test('of a system with nothing unusual are one line', () => {
    const knobs = { limits: {}, network: 'local', wire: false, safetyMicros: 1 } as const;
    expect(systemText({ ...SCENARIO, knobs })).toHaveLength(1);
    expect(eventLines({ ...SCENARIO, ops: [], faults: [] }, 12)).toEqual([]);
  });
});
