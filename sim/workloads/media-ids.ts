import { type MediaId, mediaId } from '../../core/contract/ids.ts';

const NONE: readonly MediaId[] = [];

/** What a send names besides its ciphertext: nothing mostly, of every eighth one thing, of every sixteenth two. */
export function mediaIdsOf(op: number): readonly MediaId[] {
  if (op % 8 !== 0) return NONE;
  const first = mediaId(`x_${2 * op + 1}`);
  return op % 16 === 0 ? [first, mediaId(`x_${2 * op + 2}`)] : [first];
}
