import type { Scenario } from '../scenario.ts';
import { askMutant } from './mutant-process.ts';
import type { MutantReplay } from './mutant-replayer.ts';

/**
 * Runs scenarios with a planted bug, in a process of its own.
 * @param mutant its name, of sim/mutants/.
 * @returns what became of each. @throws Error when the process ends instead: the mutant has rotted, or does not exist.
 */
export async function replayMutant(
  mutant: string,
  scenarios: readonly Scenario[],
): Promise<readonly MutantReplay[]> {
  const result = await askMutant<readonly MutantReplay[]>(mutant, 'mutant-replayer.ts', scenarios, undefined);
  if (result.outcome === 'answered') return result.answer;
  const why = result.outcome === 'broken' ? result.message : 'it took too long';
  throw new Error(`mutant ${mutant} does not load: ${why}`);
}
