const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
/** Six bytes in base64: room for the number of any op. */
const NUMBER_CHARACTERS = 8;

/**
 * base64 of `bytes` bytes that no other op has: its number, then filler.
 * @param bytes at least 6; less counts as 6.
 */
export function ciphertextOf(op: number, bytes: number): string {
  let text = '';
  let rest = op;
  for (let i = 0; i < NUMBER_CHARACTERS; i++) {
    text = ALPHABET.charAt(rest % 64) + text;
    rest = Math.floor(rest / 64);
  }
  if (bytes <= 6) return text;
  const more = bytes - 6;
  const padding = (3 - (more % 3)) % 3;
  return text + 'A'.repeat(Math.ceil(more / 3) * 4 - padding) + '='.repeat(padding);
}
