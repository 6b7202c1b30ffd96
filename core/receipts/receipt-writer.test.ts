import { describe, expect, it } from 'vitest';
import { chatId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { createPlacement, onePlacement, shardOf, SLOTS } from '../contract/placement.ts';
import { type ChatRecord, OPEN_END, type ReceiptType } from '../contract/records.ts';
import { micros } from '../contract/time.ts';
import { createMessageService, stepMessageService } from '../sequencing/message-service.ts';
import type { MessageServiceEffect } from '../sequencing/message-service-effect.ts';

const C = chatId('c_1');

/** Saved receipts as `u_2/d_2 DELIVERED #5 -> u_1`. */
function lines(effect: MessageServiceEffect): string[] {
  if (effect.kind !== 'save-receipts') return [effect.kind === 'wake' ? `wake ${effect.timer}` : effect.kind];
  return effect.writes.map(
    (w) =>
      `${w.userId}/${w.deviceId} ${w.type} ${w.seq === undefined ? w.serverMsgId : `#${w.seq}`} -> ${w.counted ? 'counted' : w.recipients.join()}`,
  );
}

/** u_1 and u_2 from the start, u_3 since #4, u_4 until #6; u_5 came and went between two messages. */
const CHAT: ChatRecord = {
  chatId: C,
  kind: 'group',
  head: 9,
  version: 2,
  members: [
    { userId: userId('u_1'), role: 'owner', spans: [{ after: 0, upTo: OPEN_END }] },
    { userId: userId('u_2'), role: 'member', spans: [{ after: 0, upTo: OPEN_END }] },
    { userId: userId('u_3'), role: 'member', spans: [{ after: 3, upTo: OPEN_END }] },
    { userId: userId('u_4'), role: 'member', spans: [{ after: 0, upTo: 6 }] },
    { userId: userId('u_5'), role: 'member', spans: [] },
  ],
};

function start(change: Partial<Limits> = {}, placement = onePlacement('eu')) {
  const service = createMessageService({
    nodeId: nodeId('ms-1'),
    instance: 1,
    limits: { ...DEFAULT_LIMITS, ...change },
    placement,
    region: 'eu',
    seed: 1,
  });
  let call = 0;
  const step = (event: Parameters<typeof stepMessageService>[1]): string[] => {
    const effects = stepMessageService(service, event, micros(1_000));
    for (const effect of effects) if ('call' in effect) call = effect.call;
    return effects.flatMap(lines);
  };
  const api = {
    service,
    step,
    receipt: (type: ReceiptType, seq: number | undefined, user = 2, chat = C, id = 'm_88') =>
      step({
        kind: 'request',
        request: {
          kind: 'receipt',
          userId: userId(`u_${user}`),
          deviceId: deviceId(`d_${user}`),
          chatId: chat,
          serverMsgId: seq === undefined ? serverMsgId(id) : undefined,
          seq,
          type,
          at: micros(1_000),
        },
      }),
    loaded: (id = C) =>
      step({
        kind: 'loaded',
        call,
        chatId: id,
        result: { outcome: 'ok', chat: { ...CHAT, chatId: id }, found: [] },
      }),
    /** The call of the latest effect that has an answer. */
    lastCall: () => call,
    saved: (outcome: 'ok' | 'failed' | 'unknown', of = call) =>
      step({ kind: 'receipts-saved', call: of, result: { outcome } }),
    ready: (id = C) => {
      step({
        kind: 'request',
        request: {
          kind: 'members',
          replyTo: { node: nodeId('gw-1'), conn: connId(1) },
          userId: userId('u_1'),
          chatId: id,
        },
      });
      api.loaded(id);
      return api;
    },
  };
  return api;
}

describe('receipts', () => {
  it('of a chat that is not loaded wait for its members', () => {
    const s = start();
    expect(s.receipt('DELIVERED', 5)).toEqual(['load-chat']);
    expect(s.receipt('READ', 5)).toEqual([]);
    // The first goes at once; what came behind it goes with the next save.
    expect(s.loaded()).toEqual(['u_2/d_2 DELIVERED #5 -> u_1,u_3']);
    expect(s.saved('ok')).toEqual(['outbox-hint', 'u_2/d_2 READ #5 -> u_1,u_3']);
  });

  // A burst of receipts costs one write: they are cumulative, so the latest of a device stands for all.
  it('that wait for one save become one for each device, chat and type: the highest', () => {
    const s = start().ready();
    expect(s.receipt('DELIVERED', 4)).toEqual(['u_2/d_2 DELIVERED #4 -> u_1,u_3']);
    for (const seq of [5, 8, 6]) expect(s.receipt('DELIVERED', seq)).toEqual([]);
    s.receipt('READ', 5);
    s.receipt('DELIVERED', 7, 1);
    expect(s.saved('ok')).toEqual([
      'outbox-hint',
      'u_2/d_2 DELIVERED #8 -> u_1,u_3',
      'u_2/d_2 READ #5 -> u_1,u_3',
      'u_1/d_1 DELIVERED #7 -> u_2,u_3',
    ]);
    expect(s.saved('ok')).toEqual(['outbox-hint']);
  });

  it('that are known by id and by seq are both written, since only the store can compare them', () => {
    const s = start().ready();
    s.receipt('READ', 3);
    s.receipt('READ', 5);
    s.receipt('READ', undefined);
    expect(s.saved('ok').slice(1)).toEqual(['u_2/d_2 READ #5 -> u_1,u_3', 'u_2/d_2 READ m_88 -> u_1']);
  });

  it('that are known by id only replace nothing, and wait within the limit', () => {
    const s = start({ receiptsPending: 4 }).ready();
    s.receipt('READ', 3);
    for (const id of ['m_9', 'm_7', 'm_9', 'm_8', 'm_6']) s.receipt('READ', undefined, 2, C, id);
    expect(s.service.receipts.refused).toBe(1);
    expect(s.saved('ok').slice(1)).toEqual(['m_9', 'm_7', 'm_8'].map((id) => `u_2/d_2 READ ${id} -> u_1`));
  });

  // The save failed, or perhaps did not: repeating it is harmless, losing it is not.
  it('are saved again, before later ones, when the save failed or its outcome is unknown', () => {
    for (const outcome of ['failed', 'unknown'] as const) {
      const s = start().ready();
      s.receipt('DELIVERED', 4);
      s.receipt('DELIVERED', 6);
      expect(s.saved(outcome)).toEqual(['wake receipts']);
      expect(s.receipt('READ', 2)).toEqual([]);
      expect(s.step({ kind: 'wake', timer: 'receipts' })).toEqual([
        'u_2/d_2 DELIVERED #4 -> u_1,u_3',
        'u_2/d_2 DELIVERED #6 -> u_1,u_3',
        'u_2/d_2 READ #2 -> u_1',
      ]);
      expect(s.saved('ok')).toEqual(['outbox-hint']);
      expect(s.step({ kind: 'wake', timer: 'receipts' })).toEqual([]);
    }
  });

  it('go in batches of the limit', () => {
    const s = start({ receiptsBatch: 2 }).ready();
    s.receipt('DELIVERED', 1, 1);
    for (const user of [1, 2, 3]) s.receipt('READ', 8, user);
    expect(s.saved('ok').slice(1)).toEqual(['u_1/d_1 READ #8 -> u_2,u_3', 'u_2/d_2 READ #8 -> u_1,u_3']);
    expect(s.saved('ok').slice(1)).toEqual(['u_3/d_3 READ #8 -> u_1,u_2']);
    expect(s.saved('ok')).toEqual(['outbox-hint']);
  });

  it('are told to those who are in and see the message, not to who came later or has left', () => {
    expect(start().ready().receipt('READ', 3)).toEqual(['u_2/d_2 READ #3 -> u_1']);
    expect(start().ready().receipt('READ', 4)).toEqual(['u_2/d_2 READ #4 -> u_1,u_3']);
    // Who left may still read what came before.
    expect(start().ready().receipt('READ', 6, 4)).toEqual(['u_4/d_4 READ #6 -> u_1,u_2,u_3']);
  });

  it('of large groups are told to nobody one by one: the relay counts them', () => {
    const s = start({ receiptMembers: 2 }).ready();
    expect(s.receipt('READ', 5)).toEqual(['u_2/d_2 READ #5 -> counted']);
    expect(s.saved('ok')).toEqual(['outbox-hint']);
  });

  // He may have been added by way of another service: the store is asked before he counts as a stranger.
  it('of somebody unknown wait for a fresh look at the chat', () => {
    const s = start().ready();
    for (const user of [9, 5]) {
      expect(s.receipt('READ', 5, user)).toEqual(['load-chat']);
      expect(s.loaded()).toEqual([]);
    }
    expect(s.service.backlog).toBe(0);
  });

  it('are counted when too many wait; one that replaces another still finds its place', () => {
    const s = start({ receiptsPending: 2 }).ready();
    s.receipt('DELIVERED', 1, 1);
    s.receipt('DELIVERED', 1, 2);
    expect(s.receipt('DELIVERED', 5, 3)).toEqual([]);
    expect(s.service.receipts.refused).toBe(1);
    s.receipt('DELIVERED', 7, 2);
    expect(s.saved('ok')).toEqual(['outbox-hint', 'u_2/d_2 DELIVERED #7 -> u_1,u_3']);
  });
});

describe('receipts of several shards', () => {
  const HALF = SLOTS / 2;
  const TWO = createPlacement([
    { name: 'a', region: 'eu', slots: [[0, HALF - 1]] },
    { name: 'b', region: 'eu', slots: [[HALF, SLOTS - 1]] },
  ]);
  const on = (shard: number) => {
    for (let n = 1; ; n++) if (shardOf(TWO, `c_${n}`) === shard) return chatId(`c_${n}`);
  };
  const [A, B] = [on(0), on(1)];
  const both = (change: Partial<Limits> = {}) => start(change, TWO).ready(A).ready(B);

  it('go in calls of their own, and one shard that is silent or fails holds up no other', () => {
    const s = both();
    s.receipt('DELIVERED', 4, 2, A);
    const silent = s.lastCall();
    expect(s.receipt('DELIVERED', 4, 2, B)).toEqual(['u_2/d_2 DELIVERED #4 -> u_1,u_3']);
    s.receipt('DELIVERED', 5, 2, A);
    expect(s.receipt('DELIVERED', 5, 2, B)).toEqual([]);
    expect(s.saved('ok')).toEqual(['outbox-hint', 'u_2/d_2 DELIVERED #5 -> u_1,u_3']);
    expect(s.saved('unknown', silent)).toEqual(['wake receipts']);
    expect(s.saved('ok')).toEqual(['outbox-hint']);
    expect(s.receipt('READ', 4, 2, B)).toEqual(['u_2/d_2 READ #4 -> u_1,u_3']);
    // Both rest: one timer is enough, and brings back what each has.
    expect(s.saved('failed')).toEqual([]);
    expect(s.step({ kind: 'wake', timer: 'receipts' })).toEqual([
      'u_2/d_2 DELIVERED #4 -> u_1,u_3',
      'u_2/d_2 DELIVERED #5 -> u_1,u_3',
      'u_2/d_2 READ #4 -> u_1,u_3',
    ]);
  });

  it('have an even share of what may wait: a shard that is away leaves the others theirs', () => {
    const s = both({ receiptsPending: 4 });
    for (const user of [1, 2, 3]) s.receipt('DELIVERED', 5, user, A);
    expect(s.service.receipts.refused).toBe(1);
    expect(s.receipt('DELIVERED', 5, 2, B)).toEqual(['u_2/d_2 DELIVERED #5 -> u_1,u_3']);
    s.receipt('DELIVERED', 5, 3, B);
    expect(s.service.receipts.refused).toBe(1);
  });
});
