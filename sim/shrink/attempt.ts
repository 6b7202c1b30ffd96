import type { Scenario } from '../scenario.ts';

/** Tries a simpler scenario. @returns whether it still fails in the same way; false as well when there is no time left. */
export type Attempt = (candidate: Scenario) => boolean;

/** One way to make a scenario simpler: tries what it can, and returns the simplest that still fails. */
export type Pass = (scenario: Scenario, attempt: Attempt) => Scenario;
