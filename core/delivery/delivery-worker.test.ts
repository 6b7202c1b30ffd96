import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import type { DeliveryItem, SessionEntry } from '../contract/records.ts';
import { micros, MILLISECOND, SECOND } from '../contract/time.ts';
import type { DeliveryWorkerEffect } from './delivery-effect.ts';
import type { DeliveryWorkerEvent } from './delivery-event.ts';
import { createDeliveryWorker, stepDeliveryWorker } from './delivery-worker.ts';

/** Effects as lines; `@3` is the number that the answer repeats. */
function line(effect: DeliveryWorkerEffect): string {
  switch (effect.kind) {
    case 'lookup':
      return `@${effect.call} look up ${effect.users.join()}`;
    case 'push':
      return `@${effect.push.pushId} push ${effect.push.item.kind} to ${effect.push.deviceId} e${effect.push.epoch} at ${effect.gatewayId}`;
    case 'mark-missed':
      return `@${effect.call} missed ${effect.keys.map((key) => key.deviceId).join()}`;
    case 'commit':
      return `commit p${effect.partition} g${effect.generation} ${effect.offset}`;
    case 'wake':
      return `wake in ${effect.after / MILLISECOND} ms`;
    case 'pause':
    case 'resume':
      return effect.kind;
  }
}

/** A message that u_1 sent from d_1. */
const MESSAGE: DeliveryItem = {
  kind: 'message',
  message: {
    chatId: chatId('c_1'),
    seq: 5,
    serverMsgId: serverMsgId('m_5'),
    clientMsgId: clientMsgId('k5'),
    from: userId('u_1'),
    fromDevice: deviceId('d_1'),
    ciphertext: 'AAAA',
    mediaIds: [],
    sentAt: micros(1),
  },
};
const TYPING: DeliveryItem = { kind: 'typing', chatId: chatId('c_1'), from: userId('u_1') };

/** `d_2@gw-1` or `d_2@gw-1#3` (epoch 3). */
function entry(user: string, text: string): SessionEntry {
  const [, device = '', gateway = '', epoch = '1'] = /^(d_\d+)@([^#]+)#?(\d*)$/.exec(text) ?? [];
  return {
    userId: userId(user),
    deviceId: deviceId(device),
    gatewayId: nodeId(gateway),
    epoch: Number(epoch === '' ? '1' : epoch),
  };
}

function start(change: Partial<Limits> = {}) {
  const worker = createDeliveryWorker({
    nodeId: nodeId('dw-1'),
    limits: { ...DEFAULT_LIMITS, ...change },
    seed: 1,
  });
  let now = 10 * SECOND;
  const step = (event: DeliveryWorkerEvent): string[] =>
    stepDeliveryWorker(worker, event, micros(now)).map(line);
  step({ kind: 'assigned', partition: 0, generation: 1, offset: 0 });
  const api = {
    worker,
    step,
    later: (ms: number) => (now += ms * MILLISECOND),
    /** One record for each recipient, from this offset of partition 0 on. */
    records: (offset: number, users: string[], item: DeliveryItem = MESSAGE, generation = 1) =>
      step({
        kind: 'records',
        partition: 0,
        generation,
        records: users.map((user, i) => ({ offset: offset + i, event: { recipient: userId(user), item } })),
      }),
    /** `sessions(1, 'u_2: d_2@gw-1 d_3@gw-2', 'u_3:')` */
    sessions: (call: number, ...users: string[]) =>
      step({
        kind: 'sessions',
        call,
        users: users.map((text) => {
          const [user = '', rest = ''] = text.split(':');
          const found = rest.split(' ').filter((one) => one !== '');
          return { userId: userId(user), sessions: found.map((one) => entry(user, one)) };
        }),
      }),
    registryDown: (call: number) => step({ kind: 'sessions', call, users: undefined }),
    pushed: (pushId: number, outcome: 'settled' | 'no-session' | 'unreachable' = 'settled') =>
      step({ kind: 'pushed', pushId, outcome }),
    marked: (call: number, ok = true) => step({ kind: 'marked', call, ok }),
    wake: () => step({ kind: 'wake', timer: 'retry' }),
  };
  return api;
}

describe('a delivery', () => {
  it('goes to every device of the recipient, and ends when each has it', () => {
    const s = start();
    expect(s.records(0, ['u_2'])).toEqual(['@1 look up u_2']);
    expect(s.sessions(1, 'u_2: d_2@gw-1#4 d_3@gw-2')).toEqual([
      '@2 push message to d_2 e4 at gw-1',
      'wake in 5000 ms',
      '@3 push message to d_3 e1 at gw-2',
    ]);
    expect(s.pushed(3)).toEqual([]);
    expect(s.pushed(2)).toEqual(['commit p0 g1 1']);
  });

  it('is not ended by an answer to something else, of the time before a restart perhaps', () => {
    const s = start();
    s.records(0, ['u_2']);
    expect(s.pushed(1)).toEqual([]);
    expect(s.marked(1)).toEqual([]);
    s.sessions(1, 'u_2: d_2@gw-1');
    expect(s.marked(2)).toEqual([]);
    expect(s.pushed(2)).toEqual(['commit p0 g1 1']);
  });

  it('ends at once for who has no session: the next RESUME reads it from the store', () => {
    const s = start();
    s.records(0, ['u_2']);
    expect(s.sessions(1, 'u_2:')).toEqual(['commit p0 g1 1']);
    expect(s.worker.tasks).toBe(0);
  });

  it("skips the sending device and nothing else: the sender's others, and a namesake of another user, get it", () => {
    const s = start();
    s.records(0, ['u_1', 'u_2']);
    expect(s.sessions(1, 'u_1: d_1@gw-1 d_9@gw-1', 'u_2: d_1@gw-1')).toEqual([
      '@2 push message to d_9 e1 at gw-1',
      'wake in 5000 ms',
      '@3 push message to d_1 e1 at gw-1',
    ]);
    const alone = start();
    alone.records(0, ['u_1']);
    expect(alone.sessions(1, 'u_1: d_1@gw-1')).toEqual(['commit p0 g1 1']);
  });

  it('is looked up in batches of the limit', () => {
    const s = start({ lookupBatch: 2 });
    expect(s.records(0, ['u_2', 'u_3', 'u_4'])).toEqual(['@1 look up u_2,u_3', '@2 look up u_4']);
  });
});

describe('a device that is not where the registry says', () => {
  // It may be moving: after a while the registry knows where to.
  it('is looked up again after a rest, and the device that had it is not pushed to twice', () => {
    const s = start();
    s.records(0, ['u_2']);
    s.sessions(1, 'u_2: d_2@gw-1 d_3@gw-1');
    s.pushed(2, 'no-session');
    expect(s.pushed(3)).toEqual(['wake in 200 ms']);
    s.later(199);
    expect(s.wake()).toEqual(['wake in 1 ms']);
    s.later(1);
    expect(s.wake()).toEqual(['@4 look up u_2']);
    expect(s.sessions(4, 'u_2: d_2@gw-2#2 d_3@gw-1')).toEqual([
      '@5 push message to d_2 e2 at gw-2',
      'wake in 5000 ms',
    ]);
    expect(s.pushed(5)).toEqual(['commit p0 g1 1']);
  });

  // A timer of the machine below comes a little after its time, and under traffic there is always a push in between.
  it('is not made to wait longer by a push that comes when its rest is over and the wake-up on its way', () => {
    const s = start();
    s.records(0, ['u_2', 'u_3']);
    s.sessions(1, 'u_2: d_2@gw-1', 'u_3:');
    expect(s.pushed(2, 'no-session')).toEqual(['wake in 200 ms']);
    s.later(201);
    s.records(2, ['u_4']);
    expect(s.sessions(3, 'u_4: d_4@gw-1')).toEqual(['@4 push message to d_4 e1 at gw-1']);
    expect(s.wake()).toEqual(['@5 look up u_2', 'wake in 5000 ms']);
  });

  it('counts as unreachable when its gateway does not answer in time; a late answer changes nothing', () => {
    const s = start();
    s.records(0, ['u_2']);
    expect(s.sessions(1, 'u_2: d_2@gw-1')).toEqual(['@2 push message to d_2 e1 at gw-1', 'wake in 5000 ms']);
    s.later(4_999);
    expect(s.wake()).toEqual(['wake in 1 ms']);
    s.later(1);
    expect(s.wake()).toEqual(['wake in 200 ms']);
    expect(s.pushed(2)).toEqual([]);
    s.later(200);
    expect(s.wake()).toEqual(['@3 look up u_2']);
  });

  it('is marked missed when the attempts are used up, and only then is the event finished', () => {
    const s = start({ pushAttempts: 3 });
    s.records(0, ['u_2']);
    s.sessions(1, 'u_2: d_2@gw-1 d_3@gw-1');
    s.pushed(2);
    expect(s.pushed(3, 'no-session')).toEqual(['wake in 200 ms']);
    s.later(200);
    s.wake();
    expect(s.sessions(4, 'u_2: d_2@gw-1 d_3@gw-1')).toEqual([
      '@5 push message to d_3 e1 at gw-1',
      'wake in 5000 ms',
    ]);
    // Twice as long each time.
    expect(s.pushed(5, 'unreachable')).toEqual(['wake in 400 ms']);
    s.later(400);
    s.wake();
    s.sessions(6, 'u_2: d_3@gw-1');
    expect(s.pushed(7, 'unreachable')).toEqual(['@8 missed d_3']);
    expect(s.marked(8)).toEqual(['commit p0 g1 1']);
  });

  it('keeps its event open while the registry cannot be told', () => {
    const s = start({ pushAttempts: 1 });
    s.records(0, ['u_2']);
    s.sessions(1, 'u_2: d_2@gw-1');
    expect(s.pushed(2, 'unreachable')).toEqual(['@3 missed d_2']);
    expect(s.marked(3, false)).toEqual(['wake in 200 ms']);
    s.later(200);
    expect(s.wake()).toEqual(['@4 look up u_2']);
    // Gone meanwhile: then it reads the store when it comes back.
    expect(s.sessions(4, 'u_2:')).toEqual(['commit p0 g1 1']);
  });
});

describe('a registry that is down', () => {
  it('is asked again, however long, and uses up no attempt', () => {
    const s = start({ pushAttempts: 1 });
    expect(s.records(0, ['u_2'])).toEqual(['@1 look up u_2']);
    for (let call = 1; call < 30; call++) {
      // Less and less often: many thousand tasks may wait for it at once.
      const rest = Math.min(100 * 2 ** call, 5_000);
      expect(s.registryDown(call)).toEqual([`wake in ${rest} ms`]);
      s.later(rest);
      expect(s.wake()).toEqual([`@${call + 1} look up u_2`]);
    }
    expect(s.sessions(30, 'u_2: d_2@gw-1')).toEqual([
      '@31 push message to d_2 e1 at gw-1',
      'wake in 5000 ms',
    ]);
  });

  it('loses typing, which is worth one try', () => {
    const s = start();
    s.records(0, ['u_2', 'u_3'], TYPING);
    expect(s.registryDown(1)).toEqual(['commit p0 g1 2']);
    s.records(2, ['u_2'], TYPING);
    expect(s.sessions(2, 'u_2: d_2@gw-1')).toEqual(['@0 push typing to d_2 e1 at gw-1', 'commit p0 g1 3']);
    expect(s.pushed(0, 'unreachable')).toEqual([]);
  });
});

describe('offsets', () => {
  it('are committed only as far as everything below is finished', () => {
    const s = start();
    s.records(0, ['u_2', 'u_3', 'u_4']);
    expect(s.sessions(1, 'u_2: d_2@gw-1', 'u_3:', 'u_4: d_4@gw-1')).toEqual([
      '@2 push message to d_2 e1 at gw-1',
      'wake in 5000 ms',
      '@3 push message to d_4 e1 at gw-1',
    ]);
    expect(s.pushed(3)).toEqual([]);
    expect(s.pushed(2)).toEqual(['commit p0 g1 3']);
  });

  it('of a partition that was revoked are not committed, nor under a later assignment', () => {
    const s = start();
    s.records(0, ['u_2']);
    s.sessions(1, 'u_2: d_2@gw-1');
    s.step({ kind: 'revoked', partition: 0 });
    expect(s.pushed(2)).toEqual([]);
    expect(s.worker.tasks).toBe(0);

    const again = start();
    again.records(0, ['u_2']);
    again.sessions(1, 'u_2: d_2@gw-1');
    again.step({ kind: 'revoked', partition: 0 });
    again.step({ kind: 'assigned', partition: 0, generation: 3, offset: 0 });
    // Still on their way when the partition moved.
    expect(again.records(1, ['u_2'], MESSAGE, 1)).toEqual([]);
    expect(again.pushed(2)).toEqual([]);
    expect(again.records(0, ['u_2'], MESSAGE, 3)).toEqual(['@3 look up u_2']);
    expect(again.sessions(3, 'u_2:')).toEqual(['commit p0 g3 1']);
  });

  it('that were handed out before are not worked on twice', () => {
    const s = start();
    s.records(0, ['u_2', 'u_3']);
    expect(s.records(1, ['u_3', 'u_4'])).toEqual(['@2 look up u_4']);
    expect(s.worker.tasks).toBe(3);
  });
});

describe('too many deliveries at once', () => {
  it('pause the partitions, which go on when half of them are done', () => {
    const s = start({ deliveryTasks: 4, lookupBatch: 1 });
    expect(s.records(0, ['u_2', 'u_3', 'u_4'])).toEqual([
      '@1 look up u_2',
      '@2 look up u_3',
      '@3 look up u_4',
    ]);
    expect(s.records(3, ['u_5'])).toEqual(['@4 look up u_5', 'pause']);
    // What was on its way is taken all the same.
    expect(s.records(4, ['u_6'])).toEqual(['@5 look up u_6']);
    expect(s.sessions(1, 'u_2:')).toEqual(['commit p0 g1 1']);
    expect(s.sessions(2, 'u_3:')).toEqual(['commit p0 g1 2']);
    expect(s.sessions(3, 'u_4:')).toEqual(['resume', 'commit p0 g1 3']);
    expect(s.sessions(4, 'u_5:')).toEqual(['commit p0 g1 4']);
  });
});

describe('a clock that steps', () => {
  it('forward is not taken for a wake-up that has come', () => {
    const s = start();
    s.records(0, ['u_2', 'u_3']);
    expect(s.registryDown(1)).toEqual(['wake in 200 ms']);
    s.later(60_000);
    s.records(2, ['u_4']);
    expect(s.registryDown(2)).toEqual(['wake in 200 ms']);
    expect(s.wake()).toEqual(['@3 look up u_2,u_3', 'wake in 200 ms']);
  });

  it('back makes a retry early rather than hours late', () => {
    const s = start();
    s.records(0, ['u_2']);
    s.registryDown(1);
    s.later(-5_000);
    expect(s.wake()).toEqual(['@2 look up u_2']);
    // Also the armed wake-up is not believed any more.
    expect(s.sessions(2, 'u_2: d_2@gw-1')).toEqual(['@3 push message to d_2 e1 at gw-1', 'wake in 5000 ms']);
    s.later(-5_000);
    s.records(1, ['u_3']);
    expect(s.registryDown(4)).toEqual(['wake in 200 ms']);
  });
});
