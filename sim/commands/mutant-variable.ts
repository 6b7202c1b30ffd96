/** Environment variable that tells a process which mutant to load. */
export const MUTANT_VARIABLE = 'PARLEY_MUTANT';
