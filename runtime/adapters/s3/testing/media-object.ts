import { createHash, randomBytes } from 'node:crypto';
import { mediaId } from '../../../../core/contract/ids.ts';
import type { MediaObject } from '../../../ports/media-store.ts';

export interface TestObject {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly object: MediaObject;
}

/** Random content, and the object that says what it is, under an id that no other run has. */
export function testObject(size: number, contentType = 'image/png'): TestObject {
  const content = new Uint8Array(randomBytes(size));
  const sha256 = createHash('sha256').update(content).digest('hex');
  const id = mediaId(`x_${randomBytes(8).readBigUInt64BE() >> 1n}`);
  return { content, object: { mediaId: id, size, contentType, sha256 } };
}
