import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import type { DeliveryEvent, OutboxRow } from '../contract/records.ts';
import { micros } from '../contract/time.ts';
import { createRelay, stepRelay } from './relay.ts';
import type { RelayEffect } from './relay-effect.ts';
import type { RelayEvent } from './relay-event.ts';

function eventLine({ recipient, item }: DeliveryEvent): string {
  if (item.kind !== 'message') return `${item.kind} -> ${recipient}`;
  return `#${item.message.seq}${item.message.ciphertext === undefined ? ' without its text' : ''} -> ${recipient}`;
}

/** Effects as lines; `@3` is the call's number. */
function line(effect: RelayEffect): string {
  switch (effect.kind) {
    case 'read-outbox':
      return `@${effect.call} read ${effect.request.limit}, not ${effect.request.except.join() || 'any'}`;
    case 'read-members':
      return `@${effect.call} members of #${effect.request.seq} after ${effect.request.afterUser ?? 'nobody'}, ${effect.request.limit}`;
    case 'publish':
      return `@${effect.call} publish ${effect.events.map(eventLine).join(', ')}`;
    case 'delete-outbox':
      return `@${effect.call} delete ${effect.ids.join()}`;
    case 'wake':
      return `wake ${effect.timer}`;
  }
}

const row = (id: number, recipients: string[] | undefined, ciphertext = 'AAAA'): OutboxRow => ({
  id,
  kind: 'message',
  recipients: recipients?.map(userId),
  message: {
    chatId: chatId('c_1'),
    seq: id,
    serverMsgId: serverMsgId(`m_${id}`),
    clientMsgId: clientMsgId(`k${id}`),
    from: userId('u_1'),
    fromDevice: deviceId('d_1'),
    ciphertext,
    mediaIds: [],
    sentAt: micros(1),
  },
});
const receiptRow = (id: number): OutboxRow => ({
  id,
  kind: 'receipt',
  recipients: [userId('u_1')],
  receipt: {
    chatId: chatId('c_1'),
    userId: userId('u_2'),
    type: 'READ',
    seq: 1,
    serverMsgId: serverMsgId('m_1'),
    at: micros(1),
  },
});

function start(change: Partial<Limits> = {}) {
  const relay = createRelay({ limits: { ...DEFAULT_LIMITS, outboxBatch: 10, ...change }, seed: 1 });
  const step = (event: RelayEvent): string[] => stepRelay(relay, event, micros(0)).map(line);
  return {
    relay,
    hint: () => step({ kind: 'hint' }),
    outbox: (call: number, ...rows: OutboxRow[]) =>
      step({ kind: 'outbox', call, result: { outcome: 'ok', rows } }),
    outboxFailed: (call: number) => step({ kind: 'outbox', call, result: { outcome: 'failed' } }),
    members: (call: number, ...users: string[]) =>
      step({ kind: 'members', call, result: { outcome: 'ok', users: users.map(userId) } }),
    membersFailed: (call: number) => step({ kind: 'members', call, result: { outcome: 'failed' } }),
    published: (call: number, outcome: 'ok' | 'failed' | 'unknown' = 'ok') =>
      step({ kind: 'published', call, outcome }),
    deleted: (call: number, outcome: 'ok' | 'failed' | 'unknown' = 'ok') =>
      step({ kind: 'deleted', call, result: { outcome } }),
    wake: (timer: 'poll' | 'retry') => step({ kind: 'wake', timer }),
  };
}

describe('the outbox relay', () => {
  it('publishes one event for each recipient, and deletes the rows only when the queue has them all', () => {
    const s = start();
    expect(s.hint()).toEqual(['@1 read 10, not any']);
    expect(s.outbox(1, row(1, ['u_1', 'u_2']), receiptRow(2))).toEqual([
      'wake poll',
      '@2 publish #1 -> u_1, #1 -> u_2, receipt -> u_1',
    ]);
    expect(s.published(2)).toEqual(['@3 delete 1,2']);
    expect(s.deleted(3)).toEqual([]);
    expect(s.relay.inFlight.size).toBe(0);
  });

  it('leaves a long ciphertext in the store', () => {
    const s = start({ inlineCiphertext: 8 });
    s.hint();
    expect(s.outbox(1, row(1, ['u_2'], 'AAAAAAAA'), row(2, ['u_2'], 'AAAAAAAAAAAA'))).toEqual([
      'wake poll',
      '@2 publish #1 -> u_2, #2 without its text -> u_2',
    ]);
  });

  // Perhaps half of it is in the queue: all of it goes again, and the ends drop what they have seen.
  it.each(['failed', 'unknown'] as const)(
    'publishes again what %s, for ever, and deletes nothing',
    (outcome) => {
      const s = start();
      s.hint();
      s.outbox(1, row(1, ['u_1']));
      let call = 2;
      for (let i = 0; i < 20; i++) {
        expect(s.published(call, outcome)).toEqual(['wake retry']);
        expect(s.wake('retry')).toEqual([`@${++call} publish #1 -> u_1`]);
      }
      expect(s.published(call)).toEqual([`@${call + 1} delete 1`]);
    },
  );

  it.each(['failed', 'unknown'] as const)('deletes again when deleting %s', (outcome) => {
    const s = start();
    s.hint();
    s.outbox(1, row(1, ['u_1']));
    s.published(2);
    expect(s.deleted(3, outcome)).toEqual(['wake retry']);
    // Not yet deleted, so the store still shows it: it is not to be read again.
    expect(s.hint()).toEqual(['@4 read 10, not 1']);
    expect(s.wake('retry')).toEqual(['@5 delete 1']);
    s.deleted(5);
    expect(s.relay.inFlight.size).toBe(0);
  });

  it('asks for one rest for all that failed, and repeats all of it', () => {
    const s = start({ outboxBatch: 1 });
    s.hint();
    s.outbox(1, row(1, ['u_1']));
    s.outbox(3, row(2, ['u_1']));
    expect(s.published(2, 'failed')).toEqual(['wake retry']);
    expect(s.published(4, 'failed')).toEqual([]);
    expect(s.wake('retry')).toEqual(['@6 publish #1 -> u_1', '@7 publish #2 -> u_1']);
  });

  // The commit that a hint speaks of may have come after the snapshot of the read that is under way.
  it('reads once more when a hint came during a read', () => {
    const s = start();
    s.hint();
    expect(s.hint()).toEqual([]);
    expect(s.hint()).toEqual([]);
    expect(s.outbox(1)).toEqual(['wake poll', '@2 read 10, not any']);
    expect(s.outbox(2)).toEqual(['wake poll']);
  });

  it('reads on while batches are full, and by itself after a while', () => {
    const s = start({ outboxBatch: 1 });
    s.hint();
    expect(s.outbox(1, row(1, ['u_1']))).toEqual(['wake poll', '@2 publish #1 -> u_1', '@3 read 1, not 1']);
    expect(s.outbox(3)).toEqual(['wake poll']);
    expect(s.wake('poll')).toEqual(['@4 read 1, not 1']);
    expect(s.outboxFailed(4)).toEqual(['wake poll']);
    expect(s.wake('poll')).toEqual(['@5 read 1, not 1']);
  });

  // Ids are given before transactions commit: the one with the lower id may commit later.
  it('takes a row that appears below those it has seen', () => {
    const s = start();
    s.hint();
    s.outbox(1, row(5, ['u_1']));
    s.hint();
    expect(s.outbox(3, row(4, ['u_1']))).toEqual(['wake poll', '@4 publish #4 -> u_1']);
  });

  it('does not start a row twice that a read shows again', () => {
    const s = start();
    s.hint();
    s.outbox(1, row(1, ['u_1']));
    s.hint();
    expect(s.outbox(3, row(1, ['u_1']), row(2, ['u_1']))).toEqual(['wake poll', '@4 publish #2 -> u_1']);
  });

  it('holds no more rows than its limit, and reads on as soon as there is room', () => {
    const s = start({ relayInFlight: 2 });
    expect(s.hint()).toEqual(['@1 read 2, not any']);
    s.outbox(1, row(1, ['u_1']), row(2, ['u_1']));
    expect(s.wake('poll')).toEqual([]);
    s.published(2);
    expect(s.deleted(3)).toEqual(['@4 read 2, not any']);
  });

  it('stops on an answer that belongs to no call: a bug of its shell', () => {
    const s = start();
    expect(() => s.published(7)).toThrow('a call completed twice or was never made');
    s.hint();
    s.outbox(1, row(1, ['u_1']));
    expect(() => s.deleted(2)).toThrow('deleted answered another call');
  });
});

describe('a group too large to list', () => {
  // Three members, pages of two: the row goes when the last page is in the queue.
  it('is paged through, and its row deleted after the last page only', () => {
    const s = start({ fanOutPage: 2 });
    s.hint();
    expect(s.outbox(1, row(7, undefined))).toEqual(['wake poll', '@2 members of #7 after nobody, 2']);
    expect(s.members(2, 'u_1', 'u_2')).toEqual(['@3 publish #7 -> u_1, #7 -> u_2']);
    expect(s.published(3)).toEqual(['@4 members of #7 after u_2, 2']);
    expect(s.members(4, 'u_3')).toEqual(['@5 publish #7 -> u_3']);
    expect(s.published(5)).toEqual(['@6 delete 7']);
  });

  it('ends with an empty page when the last one was full', () => {
    const s = start({ fanOutPage: 2 });
    s.hint();
    s.outbox(1, row(7, undefined));
    s.members(2, 'u_1', 'u_2');
    s.published(3);
    expect(s.members(4)).toEqual(['@5 delete 7']);
  });

  it('goes on from the page that failed, not from the start', () => {
    const s = start({ fanOutPage: 1 });
    s.hint();
    s.outbox(1, row(7, undefined));
    s.members(2, 'u_1');
    s.published(3);
    expect(s.membersFailed(4)).toEqual(['wake retry']);
    expect(s.wake('retry')).toEqual(['@5 members of #7 after u_1, 1']);
    s.members(5, 'u_2');
    expect(s.published(6, 'unknown')).toEqual(['wake retry']);
    expect(s.wake('retry')).toEqual(['@7 publish #7 -> u_2']);
    expect(s.published(7)).toEqual(['@8 members of #7 after u_2, 1']);
  });

  it('does not hold up the rows beside it', () => {
    const s = start();
    s.hint();
    expect(s.outbox(1, row(7, undefined), row(8, ['u_2']))).toEqual([
      'wake poll',
      '@2 members of #7 after nobody, 512',
      '@3 publish #8 -> u_2',
    ]);
    expect(s.published(3)).toEqual(['@4 delete 8']);
  });
});
