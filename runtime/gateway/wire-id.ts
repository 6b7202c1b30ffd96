/** The largest unsigned 63-bit integer, as the decimal of an id. */
const LARGEST = (1n << 63n) - 1n;

/**
 * Whether `text` is an id of the wire: the prefix and an unsigned 63-bit decimal without leading zeros (`u_3`).
 * @param prefix one letter: u user, d device, c chat, m message, x media.
 */
export function isWireId(prefix: string, text: string): boolean {
  if (!text.startsWith(`${prefix}_`)) return false;
  const digits = text.slice(prefix.length + 1);
  if (!/^(?:0|[1-9]\d{0,18})$/.test(digits)) return false;
  return digits.length < 19 || BigInt(digits) <= LARGEST;
}
