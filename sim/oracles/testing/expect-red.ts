import type { PromiseName, Violation } from '../oracle.ts';
import type { Tale } from '../tale.ts';

/** Both other devices of the direct chat c_1 are pushed the message and show it. */
export const everywhere = (tale: Tale, seq: number): Tale =>
  tale
    .push('d_2', 2, 'c_1', seq)
    .shown('d_2', 'c_1', seq, `m_${seq}`)
    .push('d_3', 3, 'c_1', seq)
    .shown('d_3', 'c_1', seq, `m_${seq}`);

/** @param served all three devices, unless some are named. */
export const healed = (tale: Tale, ...served: string[]): Tale =>
  tale.heal(...(served.length === 0 ? ['d_1', 'd_2', 'd_3'] : served)).end();

/**
 * Judged by all oracles and, so that none leans on another, by that one alone.
 * @returns what it alone reports. Throws when one of the two does not report it, or in other words.
 */
export function expectRed(tale: Tale, oracle: PromiseName, observed: RegExp): Violation {
  const all = tale.judged();
  const alone = tale.judged({ only: [oracle] });
  const words = `${alone?.observed} ${alone?.stuck.join(' ')}`;
  if (all?.oracle === oracle && alone?.oracle === oracle && observed.test(words)) return alone;
  throw new Error(
    `${oracle} should report ${observed}: all report ${all?.oracle ?? 'nothing'}, it alone ${words}`,
  );
}
