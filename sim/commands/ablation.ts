import { FAULT_CLASSES } from '../faults/fault-kind.ts';
import { faultKind } from '../faults/fault-kinds.ts';
import type { Scenario } from '../scenario.ts';
import { seedAt } from './campaign-work.ts';

/** What can be left out: the faults of one class, or all of them. */
export const ABLATIONS = [...FAULT_CLASSES, 'all'] as const;
export type Ablation = (typeof ABLATIONS)[number];

export interface AblationOrder {
  readonly from: number;
  readonly seeds: number;
}

/** Seeds until the first that is red; undefined: none is. */
export interface AblationReport {
  readonly complete: number | undefined;
  /** Empty when the complete hunt found nothing: there is nothing to lose. */
  readonly without: { readonly [A in Ablation]?: number | undefined };
}

/** @returns the scenario without these faults; itself when it has none of them. */
export function withoutFaults(scenario: Scenario, ablation: Ablation): Scenario {
  const faults = scenario.faults.filter(({ kind }) => !belongs(kind, ablation));
  return faults.length === scenario.faults.length ? scenario : { ...scenario, faults };
}

function belongs(kind: string, ablation: Ablation): boolean {
  return ablation === 'all' || faultKind(kind)?.classes.includes(ablation) === true;
}

/**
 * Hunts with all faults, and then without each class of them in turn. Where a scenario has no fault of the class its run is
 * the same again, and so is not made again.
 */
export function ablate(
  { from, seeds }: AblationOrder,
  scenarioOf: (seed: number) => Scenario,
  isRed: (scenario: Scenario) => boolean,
): AblationReport {
  const hunt = (ablation: Ablation | undefined, complete: number): number | undefined => {
    for (let i = 0; i < seeds; i++) {
      const whole = scenarioOf(seedAt(from, i));
      const scenario = ablation === undefined ? whole : withoutFaults(whole, ablation);
      if (ablation !== undefined && scenario === whole && i < complete) {
        if (i === complete - 1) return complete;
        continue;
      }
      if (isRed(scenario)) return i + 1;
    }
    return undefined;
  };
  const complete = hunt(undefined, 0);
  if (complete === undefined) return { complete, without: {} };
  return {
    complete,
    without: Object.fromEntries(ABLATIONS.map((ablation) => [ablation, hunt(ablation, complete)])),
  };
}
