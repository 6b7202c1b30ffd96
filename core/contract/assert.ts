/**
 * A refusal is a value in a union; a bug is one of these. They stay on in production: a machine whose invariant is
 * broken must stop before it acknowledges something it does not have.
 */

export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** @throws InvariantError when `condition` is false: a bug in Parley, never the effect of input from outside. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Closes an exhaustive `switch`. @throws InvariantError always. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected variant: ${JSON.stringify(value)}`);
}
