import { batchBehaviours } from './contract/batch-behaviours.ts';
import { leaseBehaviours } from './contract/lease-behaviours.ts';
import { presenceBehaviours } from './contract/presence-behaviours.ts';
import { RegistryUnderTest, type RegistrySubject } from './contract/registry-under-test.ts';

/** One thing that every session registry does, before it knows which. */
export type RegistryBehaviour = readonly [name: string, run: (registry: RegistryUnderTest) => Promise<void>];

/**
 * What runtime/ports/session-registry.ts promises, as behaviours to run against any registry: it knows no engine and no
 * test runner. `run` rejects with an AssertionError when this one does not.
 * @param open called once a behaviour; may give the same registry each time, since users are never used twice.
 */
export function sessionRegistryContract(
  open: () => RegistrySubject | Promise<RegistrySubject>,
): readonly { readonly name: string; readonly run: () => Promise<void> }[] {
  const behaviours = [...leaseBehaviours, ...batchBehaviours, ...presenceBehaviours];
  return behaviours.map(([name, run], number) => ({
    name,
    run: async () => run(new RegistryUnderTest(await open(), runNumber(number))),
  }));
}

/** No two runs of any process share one: a registry may outlive its tests. */
function runNumber(behaviour: number): number {
  return (process.pid * 100 + behaviour) * 1_000_000 + (Math.floor(performance.timeOrigin) % 1_000_000);
}
