import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runScenario } from '../run.ts';
import type { OwnOracle } from './own-oracle.ts';
import { scenarioSize } from '../shrink/shrink-scenario.ts';
import {
  checkScenarios,
  type CheckOptions,
  SCENARIO_VARIABLE,
  ScenarioFailure,
} from '../commands/check-scenarios.ts';
import { readScenarioFile } from '../commands/scenario-file.ts';

const SEED = 7;
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-own-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function failureOf(options: CheckOptions): ScenarioFailure {
  try {
    checkScenarios({ seed: SEED, folder, ...options });
  } catch (error) {
    if (error instanceof ScenarioFailure) return error;
    throw error;
  }
  throw new Error('the check found nothing');
}

describe('a property of one’s own', { timeout: 60_000 }, () => {
  it('a device shows its own messages as it sent them, whatever fails', () => {
    checkScenarios({
      runs: 30,
      seed: SEED,
      property({ observations }) {
        const sent = observations.filter((o) => o.kind === 'send');
        const shown = observations.filter((o) => o.kind === 'shown');
        const texts = new Set(sent.map((o) => `${o.userId} ${o.ciphertext}`));
        // Retention may have dropped what a message says.
        const stray = shown.find((o) => o.ciphertext !== '' && !texts.has(`${o.from} ${o.ciphertext}`));
        return stray === undefined
          ? undefined
          : `${stray.deviceId} shows ${stray.serverMsgId}, which nobody wrote`;
      },
    });
  });

  it('that is false fails with a shrunk scenario that is saved and replays', () => {
    const name = 'no device is ever off';
    const property: CheckOptions['property'] = ({ observations }) => {
      const off = observations.find((o) => o.kind === 'device-live' && !o.live);
      return off === undefined ? undefined : `a device was gone at ${off.at} µs`;
    };
    const error = failureOf({ name, property });
    expect(error.message).toMatch(/✗ safety: own: no device is ever off \(exit code 10\)/);
    expect(error.message).toContain('expected    no device is ever off holds');
    expect(error.message).toMatch(/observed {4}a device was gone at \d+ µs/);
    expect(error.message).toContain(`replay      ./parley sim replay ${error.path}`);
    expect(error.message).toContain(`${SCENARIO_VARIABLE}=${error.path}`);

    const file = readScenarioFile(error.path);
    expect(scenarioSize(file.scenario)).toBeLessThanOrEqual(1);
    expect(error.failure.minimal).toBe(true);
    expect(runScenario(file.scenario).hash).toBe(file.hash);

    process.env[SCENARIO_VARIABLE] = error.path;
    try {
      expect(failureOf({ name, property }).failure.scenario).toEqual(file.scenario);
      expect(checkScenarios({ property: () => undefined }).runs).toBe(1);
    } finally {
      delete process.env[SCENARIO_VARIABLE];
    }
  });

  it('may be an oracle that watches while the run goes on', () => {
    const fewMessages = (): OwnOracle => {
      let shown = 0;
      return {
        name: 'few messages',
        observe: (o) => (o.kind === 'shown' && ++shown > 5 ? 'a sixth message is shown' : undefined),
      };
    };
    const error = failureOf({ oracles: [fewMessages], only: { faults: [], ops: ['send'] } });
    expect(error.message).toContain('own: few messages');
    expect(error.message).toMatch(/the last events\n +t=/);
    expect(error.failure.scenario.ops.length).toBeLessThanOrEqual(6);
    expect(error.failure.scenario.faults).toEqual([]);
  });

  it('draws the same scenarios with the same seed', () => {
    const hashes = (seed: number): string[] => {
      const seen: string[] = [];
      const property: CheckOptions['property'] = ({ result }) => void seen.push(result.hash);
      checkScenarios({ runs: 6, seed, property });
      return seen;
    };
    expect(hashes(1)).toEqual(hashes(1));
    expect(hashes(1)).not.toEqual(hashes(2));
  });

  it('is not green when the time was over before the runs were done', () => {
    expect(() => checkScenarios({ runs: 100_000, seconds: 1, seed: SEED })).toThrow(
      /only \d+ of 100000 runs were done in 1 s/,
    );
  });
});
