import { problem } from './problem.ts';
import { ProblemError } from './http-exchange.ts';

/**
 * What the message store says. @throws ProblemError `unavailable` when it says nothing: it may do so later, and nothing is
 * wrong with this process.
 */
export async function answered<Result>(call: Promise<Result>): Promise<Result> {
  try {
    return await call;
  } catch {
    throw storeDown();
  }
}

export function storeDown(): ProblemError {
  return new ProblemError(problem('unavailable', 'the message store does not answer: try again'));
}
