import { createSuite } from '../conformance.ts';
import type { Suite } from '../script.ts';
import { APPEND_SCRIPTS } from './append-scripts.ts';
import { EngineDriver } from './engine-driver.ts';
import { ModelDriver } from './model-driver.ts';
import { OUTCOME_SCRIPTS } from './outcome-scripts.ts';
import { openPostgresRig } from './postgres-rig.ts';
import { randomSteps } from './random-steps.ts';
import { READER_SCRIPTS } from './reader-scripts.ts';
import type { StoreStep } from './store-step.ts';

/**
 * The simulator's message store against PostgreSQL through the adapter, on a server of the suite's own: scripts kill it.
 * @throws Error when PostgreSQL cannot run.
 */
export async function openPostgresSuite(): Promise<Suite> {
  const rig = await openPostgresRig();
  return createSuite<StoreStep>({
    engine: 'postgres',
    version: rig.version,
    rig: {
      openModel: () => new ModelDriver(),
      openEngine: () => new EngineDriver(rig),
    },
    scripts: [...APPEND_SCRIPTS, ...OUTCOME_SCRIPTS, ...READER_SCRIPTS],
    randomSteps,
    close: () => rig.close(),
  });
}
