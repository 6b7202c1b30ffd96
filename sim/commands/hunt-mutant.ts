import type { Mutant } from '../mutants/mutant.ts';
import type { Hunt, HuntReport } from './mutant-hunter.ts';
import { askMutant } from './mutant-process.ts';
import { failsWithoutMutant, type PlainFailure } from './plain-core.ts';

export type HuntResult =
  | { readonly outcome: 'killed'; readonly report: HuntReport & { readonly killed: object } }
  | { readonly outcome: 'survived'; readonly report: HuntReport }
  /** The core fails there without the mutant too: no kill, and a defect to be mended first. */
  | { readonly outcome: 'plain-red'; readonly report: HuntReport; readonly plain: PlainFailure }
  /** It ran longer than it may: counts as a survivor, since nothing was found. */
  | { readonly outcome: 'timeout' }
  | { readonly outcome: 'broken'; readonly message: string };

/** Hunts one mutant in a process of its own. @param check whether the core fails without it: another one only in a test. */
export async function huntMutant(
  mutant: Pick<Mutant, 'name'>,
  order: Hunt,
  timeoutSeconds: number,
  check: typeof failsWithoutMutant = failsWithoutMutant,
): Promise<HuntResult> {
  const result = await askMutant<HuntReport>(mutant.name, 'mutant-hunter.ts', order, timeoutSeconds);
  if (result.outcome !== 'answered') return result;
  const { answer: report } = result;
  const { killed } = report;
  if (killed === undefined) return { outcome: 'survived', report };
  const plain = check(killed);
  if (plain === undefined) return { outcome: 'killed', report: { ...report, killed } };
  return { outcome: 'plain-red', report, plain };
}
