import { createSuite } from '../conformance.ts';
import type { Suite } from '../script.ts';
import { FAILOVER_SCRIPTS } from './failover-scripts.ts';
import { FAULT_SCRIPTS } from './fault-scripts.ts';
import { LEASE_SCRIPTS } from './lease-scripts.ts';
import { randomSteps } from './random-steps.ts';
import { openRedisRig } from './redis-rig.ts';
import { RegistryEngineDriver } from './registry-engine-driver.ts';
import { RegistryModelDriver } from './registry-model-driver.ts';
import type { RegistryStep } from './registry-step.ts';

/**
 * The simulator's session registry against Redis through the adapter, on servers of its own: scripts kill, freeze and fill them.
 * @throws Error when there is no redis-server.
 */
export async function openRedisSuite(): Promise<Suite> {
  const rig = await openRedisRig();
  return createSuite<RegistryStep>({
    engine: 'redis',
    version: `Redis ${rig.version}`,
    rig: {
      openModel: () => new RegistryModelDriver(),
      openEngine: () => RegistryEngineDriver.open(rig),
    },
    scripts: [...LEASE_SCRIPTS, ...FAULT_SCRIPTS, ...FAILOVER_SCRIPTS],
    randomSteps,
    close: () => rig.close(),
  });
}
