import type { ChatId, ClientMsgId, DeviceId, UserId } from '../../core/contract/ids.ts';

/** Ids of what a scenario names by index; on the wire ids count from 1. */

export const userIdOf = (index: number): UserId => `u_${index + 1}` as UserId;
export const deviceIdOf = (index: number): DeviceId => `d_${index + 1}` as DeviceId;
export const chatIdOf = (index: number): ChatId => `c_${index + 1}` as ChatId;

/**
 * A version 7 UUID whose random part is how many sends this user has made: two users have the same ones, since they need
 * to be unique for one sender only.
 */
export const clientMsgIdOf = (sends: number): ClientMsgId =>
  `00000000-0000-7000-8000-${sends.toString(16).padStart(12, '0')}` as ClientMsgId;
