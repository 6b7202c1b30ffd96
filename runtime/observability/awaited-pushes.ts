import type { ClientMsgId } from '../../core/contract/ids.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { Push } from '../../core/session/push.ts';
import { stageClock } from './message-stages.ts';

/** Pushes of messages that are not answered yet, for those who measure them. */
export interface AwaitedPushes<Key> {
  begun(key: Key, push: Push): void;
  /** @returns what began; undefined when it is no message, or was forgotten. */
  ended(key: Key): AwaitedPush | undefined;
  readonly size: number;
}

export interface AwaitedPush {
  readonly sentAt: Micros;
  readonly clientMsgId: ClientMsgId;
  /** By the stage clock. */
  readonly begin: number;
  readonly item: Push['item'];
}

/** Answers may be lost, so a full table is emptied: those samples are lost, nothing else. */
const TRACKED_PUSHES = 50_000;

export function createAwaitedPushes<Key>(): AwaitedPushes<Key> {
  const pushes = new Map<Key, AwaitedPush>();
  return {
    begun(key, { item }) {
      if (item.kind !== 'message') return;
      if (pushes.size >= TRACKED_PUSHES) pushes.clear();
      const { sentAt, clientMsgId } = item.message;
      pushes.set(key, { sentAt, clientMsgId, begin: stageClock(), item });
    },
    ended(key) {
      const push = pushes.get(key);
      pushes.delete(key);
      return push;
    },
    get size() {
      return pushes.size;
    },
  };
}
