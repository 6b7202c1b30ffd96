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

/** Closes an exhaustive `switch`. @throws InvariantError always, with the names of the fields: their values may be what people wrote. */
export function assertNever(value: never): never {
  throw new InvariantError(`unexpected variant: ${variantOf(value)}`);
}

function variantOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return typeof value;
  const { kind } = value as { readonly kind?: unknown };
  return `${typeof kind === 'string' ? kind : 'no kind'} {${Object.keys(value).join(', ')}}`;
}
