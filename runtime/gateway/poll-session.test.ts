import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { connId, deviceId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { micros } from '../../core/contract/time.ts';
import { createDevicePoll } from './poll-session.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('a post that is refused leaves nothing of its frames behind', async () => {
  const poll = createDevicePoll({
    conn: connId(1),
    pollId: 'gw-1.a',
    identity: { userId: userId('u_1'), deviceId: deviceId('d_1'), expiresAt: micros(0) },
    address: undefined,
    limits: DEFAULT_LIMITS,
    meter: { received: () => undefined, sent: () => undefined },
    cursors: undefined,
    dispatch: () => undefined,
    onForgotten: () => undefined,
  });
  const frames: WeakRef<readonly unknown[]>[] = [];
  for (let i = 0; i < 10; i++) {
    const values = [{ frame: 'PING', t: i }];
    frames.push(new WeakRef(values));
    expect((await poll.post(99, values)).kind).toBe('refuse');
  }
  // A WeakRef holds what it refers to until the turn of the event loop is over.
  await delay(1);
  collect();
  const kept = frames.filter((ref) => ref.deref() !== undefined);
  // The last may still be on the stack.
  expect(kept.length).toBeLessThanOrEqual(1);
  poll.stop();
});
