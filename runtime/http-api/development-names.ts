import { createHash } from 'node:crypto';
import { deviceId, userId, type DeviceId, type UserId } from '../../core/contract/ids.ts';
import { isWireId } from '../gateway/wire-id.ts';

/**
 * Development mode lets people say `alice` where the protocol wants `u_1`. Names map to ids without any state, the same
 * on every server, so that two terminals and a restart agree. The names that examples use are short and come first;
 * hashed ids are large, so the two never meet.
 */
const WELL_KNOWN = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi'];

/** Hashed ids lie above this and below 2^63. */
const HASHED_FROM = 1n << 62n;

export function userOf(nameOrId: string): UserId {
  if (isWireId('u', nameOrId)) return userId(nameOrId);
  const index = WELL_KNOWN.indexOf(nameOrId.toLowerCase());
  return userId(index >= 0 ? `u_${index + 1}` : `u_${hashed(`user ${nameOrId.toLowerCase()}`)}`);
}

/** A device name belongs to its user: `alice`'s phone is not `bob`'s. */
export function deviceOf(user: UserId, nameOrId: string): DeviceId {
  if (isWireId('d', nameOrId)) return deviceId(nameOrId);
  return deviceId(`d_${hashed(`device ${user} ${nameOrId.toLowerCase()}`)}`);
}

function hashed(text: string): bigint {
  return HASHED_FROM + (createHash('sha256').update(text).digest().readBigUInt64BE() & (HASHED_FROM - 1n));
}
