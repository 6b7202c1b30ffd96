/**
 * Ids at the edge of PostgreSQL: `u_3` outside, the bigint 3 inside. They stay decimal text on this side, since a
 * JavaScript number cannot hold 63 bits, and they go into array literals, so nothing but digits may pass.
 */
export type IdPrefix = 'u_' | 'd_' | 'c_' | 'm_' | 'x_';

const MAX = '9223372036854775807';

/** @returns the decimal part, or undefined when this is no id of that kind: then no row can have it. */
export function decimalOf(id: string, prefix: IdPrefix): string | undefined {
  const { length } = id;
  if (length < 3 || length > 21 || id.charCodeAt(0) !== prefix.charCodeAt(0) || id.charCodeAt(1) !== 0x5f)
    return undefined;
  for (let i = 2; i < length; i++) {
    const code = id.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return undefined;
  }
  const decimal = id.slice(2);
  // One spelling an id: u_07 would come back as u_7.
  if (decimal.length > 1 && decimal.charCodeAt(0) === 0x30) return undefined;
  if (decimal.length === MAX.length && decimal > MAX) return undefined;
  return decimal;
}

/** As `decimalOf`, for what an earlier step has checked. @throws MalformedRequest otherwise. */
export function requireDecimal(id: string, prefix: IdPrefix): string {
  const decimal = decimalOf(id, prefix);
  if (decimal === undefined) throw new MalformedRequest(`not an id: ${JSON.stringify(id)}`);
  return decimal;
}

/** A request that cannot be put to PostgreSQL: it is answered `failed`, alone. */
export class MalformedRequest extends Error {
  override readonly name = 'MalformedRequest';
}
