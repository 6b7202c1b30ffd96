import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import type { DeliveryEvent, OutboxRow, ReceiptCount } from '../contract/records.ts';
import { micros, MILLISECOND, SECOND } from '../contract/time.ts';
import { createRelay, stepRelay } from './relay.ts';
import type { RelayEffect } from './relay-effect.ts';
import type { RelayEvent, RelayTimer } from './relay-event.ts';

function eventLine({ recipient, item }: DeliveryEvent): string {
  if (item.kind === 'counts') {
    const { seq, deliveredCount, readCount } = item.count;
    return `#${seq} ${deliveredCount}/${readCount} -> ${recipient}`;
  }
  if (item.kind !== 'message') return `${item.kind} -> ${recipient}`;
  if (item.huge === true) return `#${item.message.seq} of a huge group -> ${recipient}`;
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
    case 'count-receipts':
      return `@${effect.call} count ${effect.request.chatId}, ${effect.request.limit}`;
    case 'delete-outbox':
      return `@${effect.call} delete ${effect.ids.join()}`;
    case 'wake':
      return `wake ${effect.timer}`;
  }
}

const row = (
  id: number,
  recipients: string[] | undefined,
  ciphertext = 'AAAA',
): Extract<OutboxRow, { kind: 'message' }> => ({
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
/** As the store gives a row whose ciphertext is longer than what was asked for. */
const long = (full: Extract<OutboxRow, { kind: 'message' }>): OutboxRow => ({
  ...full,
  message: { ...full.message, ciphertext: undefined },
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

const countsRow = (id: number, chat = 'c_1'): OutboxRow => ({ id, kind: 'counts', chatId: chatId(chat) });
function countOf(text: string): ReceiptCount {
  const [seq = 0, deliveredCount = 0, readCount = 0] = text.split(/[ /]/).map(Number);
  const message = { chatId: chatId('c_1'), seq, serverMsgId: serverMsgId(`m_${seq}`), from: userId('u_1') };
  return { ...message, deliveredCount, readCount, at: micros(1) };
}

function start(change: Partial<Limits> = {}) {
  const relay = createRelay({ limits: { ...DEFAULT_LIMITS, outboxBatch: 10, ...change }, seed: 1 });
  let now = 100 * SECOND;
  const step = (event: RelayEvent): string[] => stepRelay(relay, event, micros(now)).map(line);
  return {
    relay,
    later: (ms: number) => (now += ms * MILLISECOND),
    hint: () => step({ kind: 'hint' }),
    outbox: (call: number, ...rows: OutboxRow[]) =>
      step({ kind: 'outbox', call, result: { outcome: 'ok', rows } }),
    outboxFailed: (call: number) => step({ kind: 'outbox', call, result: { outcome: 'failed' } }),
    members: (call: number, ...users: string[]) =>
      step({
        kind: 'members',
        call,
        result: { outcome: 'ok', users: users.map(userId), positions: [], size: 3 },
      }),
    /** `page(2, 3_000, 'u_1 5', 'u_2 0')`: of 3,000 members, these and where they stand. */
    page: (call: number, size: number, ...members: string[]) => {
      const pairs = members.map((text) => text.split(' ') as [string, string]);
      const users = pairs.map(([user]) => userId(user));
      const positions = pairs.map(([, position]) => Number(position));
      return step({ kind: 'members', call, result: { outcome: 'ok', users, positions, size } });
    },
    /** `counted(2, '7 3/1')`: three have #7, one has read it. */
    counted: (call: number, ...counts: string[]) =>
      step({ kind: 'counted', call, result: { outcome: 'ok', counts: counts.map(countOf) } }),
    notCounted: (call: number) => step({ kind: 'counted', call, result: { outcome: 'failed' } }),
    membersFailed: (call: number) => step({ kind: 'members', call, result: { outcome: 'failed' } }),
    published: (call: number, outcome: 'ok' | 'failed' | 'unknown' = 'ok') =>
      step({ kind: 'published', call, outcome }),
    deleted: (call: number, outcome: 'ok' | 'failed' | 'unknown' = 'ok') =>
      step({ kind: 'deleted', call, result: { outcome } }),
    wake: (timer: RelayTimer) => step({ kind: 'wake', timer }),
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
    const [read] = stepRelay(s.relay, { kind: 'hint' }, micros(1));
    expect(read).toMatchObject({ kind: 'read-outbox', request: { inlineCiphertext: 8 } });
    expect(s.outbox(1, row(1, ['u_2'], 'AAAAAAAA'), long(row(2, ['u_2'])))).toEqual([
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

describe('a publish has a limit', () => {
  it('carries whole rows, as many as fit, and each is deleted when its own events are durable', () => {
    const s = start({ publishEvents: 4 });
    s.hint();
    expect(
      s.outbox(
        1,
        row(1, ['u_1', 'u_2']),
        row(2, ['u_1', 'u_2']),
        row(3, ['u_1', 'u_2', 'u_3']),
        receiptRow(4),
      ),
    ).toEqual([
      'wake poll',
      '@2 publish #1 -> u_1, #1 -> u_2, #2 -> u_1, #2 -> u_2',
      '@3 publish #3 -> u_1, #3 -> u_2, #3 -> u_3, receipt -> u_1',
    ]);
    expect(s.published(2, 'failed')).toEqual(['wake retry']);
    expect(s.published(3)).toEqual(['@4 delete 3,4']);
    expect(s.wake('retry')).toEqual(['@5 publish #1 -> u_1, #1 -> u_2, #2 -> u_1, #2 -> u_2']);
    expect(s.published(5)).toEqual(['@6 delete 1,2']);
  });

  // A queue that cannot hold all of it at once would refuse it for ever, and with it everything that was read with it.
  it('takes a row of more recipients in parts, and the row stays until the last is durable', () => {
    const s = start({ publishEvents: 2 });
    s.hint();
    expect(
      s.outbox(1, row(1, ['u_1']), row(2, ['u_1', 'u_2', 'u_3', 'u_4', 'u_5']), row(3, ['u_1'])),
    ).toEqual([
      'wake poll',
      '@2 publish #1 -> u_1',
      '@3 publish #2 -> u_1, #2 -> u_2',
      '@4 publish #2 -> u_3, #2 -> u_4',
      '@5 publish #2 -> u_5',
      '@6 publish #3 -> u_1',
    ]);
    expect(s.published(3)).toEqual([]);
    expect(s.published(5)).toEqual([]);
    expect(s.published(4, 'unknown')).toEqual(['wake retry']);
    expect(s.wake('retry')).toEqual(['@7 publish #2 -> u_3, #2 -> u_4']);
    expect(s.published(7)).toEqual(['@8 delete 2']);
  });

  it('goes on to the next page when every part of this one is durable', () => {
    const s = start({ publishEvents: 2, fanOutPage: 3 });
    s.hint();
    s.outbox(1, row(7, undefined));
    expect(s.members(2, 'u_1', 'u_2', 'u_3')).toEqual([
      '@3 publish #7 -> u_1, #7 -> u_2',
      '@4 publish #7 -> u_3',
    ]);
    expect(s.published(4)).toEqual([]);
    expect(s.published(3)).toEqual(['@5 members of #7 after u_3, 3']);
  });

  it('lets few be under way, and the others wait for their turn in order', () => {
    const s = start({ publishEvents: 1, relayPublishes: 2 });
    s.hint();
    expect(s.outbox(1, row(1, ['u_1', 'u_2', 'u_3']), row(2, ['u_1']))).toEqual([
      'wake poll',
      '@2 publish #1 -> u_1',
      '@3 publish #1 -> u_2',
    ]);
    expect(s.published(3)).toEqual(['@4 publish #1 -> u_3']);
    // One that failed gives its place away, and takes its turn again after a rest.
    expect(s.published(2, 'failed')).toEqual(['wake retry', '@5 publish #2 -> u_1']);
    expect(s.wake('retry')).toEqual([]);
    expect(s.published(4)).toEqual(['@6 publish #1 -> u_1']);
    expect(s.published(5)).toEqual(['@7 delete 2']);
    expect(s.published(6)).toEqual(['@8 delete 1']);
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

describe('a huge group', () => {
  const limits = { hugeGroup: 2_000, activeDistance: 3, fanOutPage: 4 };

  it('tells its active members and the sender; the others pull', () => {
    const s = start(limits);
    s.hint();
    s.outbox(1, row(9, undefined));
    // u_2 has got #6, u_3 nothing since #5, u_1 wrote the message.
    expect(s.page(2, 2_001, 'u_1 0', 'u_2 6', 'u_3 5', 'u_4 9')).toEqual([
      '@3 publish #9 of a huge group -> u_1, #9 of a huge group -> u_2, #9 of a huge group -> u_4',
    ]);
    // A page of nobody is not the end.
    s.published(3);
    expect(s.page(4, 2_001, 'u_5 1', 'u_6 1', 'u_7 1', 'u_8 1')).toEqual(['@5 members of #9 after u_8, 4']);
    expect(s.page(5, 2_001)).toEqual(['@6 delete 9']);
  });

  it('begins above the limit: up to it everybody is told', () => {
    const s = start(limits);
    s.hint();
    s.outbox(1, row(9, undefined));
    expect(s.page(2, 2_000, 'u_2 6', 'u_3 0')).toEqual(['@3 publish #9 -> u_2, #9 -> u_3']);
  });
});

describe('receipts of a large chat', () => {
  it('are counted, told to the senders whose counts rose, and their row goes with that', () => {
    const s = start();
    s.hint();
    expect(s.outbox(1, countsRow(1))).toEqual(['wake poll', '@2 count c_1, 16']);
    expect(s.counted(2, '7 3/1', '8 0/0', '9 1/0')).toEqual(['@3 publish #7 3/1 -> u_1, #9 1/0 -> u_1']);
    expect(s.published(3)).toEqual(['@4 delete 1']);
    s.deleted(4);
    s.later(1_000);
    s.hint();
    expect(s.outbox(5, countsRow(2))).toEqual(['wake poll', '@6 count c_1, 16']);
    expect(s.counted(6, '8 0/0', '9 2/0')).toEqual(['@7 publish #9 2/0 -> u_1']);
    s.published(7);
    s.later(1_000);
    s.hint();
    s.outbox(9, countsRow(3));
    expect(s.counted(10, '9 2/0')).toEqual(['@11 delete 3']);
  });

  it('are counted once in an interval, and once more for what came meanwhile', () => {
    const s = start();
    s.hint();
    s.outbox(1, countsRow(1));
    s.later(10);
    // While it is counted: that count may have missed it, so one row waits for the next. A second one is not needed.
    s.hint();
    expect(s.outbox(3, countsRow(2), countsRow(3))).toEqual(['wake poll', '@4 delete 3']);
    expect(s.counted(2, '7 1/0')).toEqual(['@5 publish #7 1/0 -> u_1', 'wake counts']);
    s.hint();
    expect(s.outbox(6, countsRow(4))).toEqual(['wake poll', '@7 delete 4']);
    s.later(500);
    expect(s.wake('counts')).toEqual(['wake counts']);
    s.later(500);
    expect(s.wake('counts')).toEqual(['@8 count c_1, 16']);
    expect(s.counted(8, '7 3/0')).toEqual(['@9 publish #7 3/0 -> u_1']);
    expect(s.published(9)).toEqual(['@10 delete 2']);
  });

  it('are counted again when the store or the queue fails, and keep their row until then', () => {
    const s = start();
    s.hint();
    s.outbox(1, countsRow(1));
    expect(s.notCounted(2)).toEqual(['wake retry']);
    expect(s.wake('retry')).toEqual(['@3 count c_1, 16']);
    s.counted(3, '7 1/0');
    expect(s.published(4, 'unknown')).toEqual(['wake retry']);
    expect(s.wake('retry')).toEqual(['@5 publish #7 1/0 -> u_1']);
    expect(s.published(5)).toEqual(['@6 delete 1']);
  });

  it('do not fill the relay while they wait', () => {
    const s = start({ relayInFlight: 2 });
    s.hint();
    s.outbox(1, countsRow(1));
    s.counted(2, '7 1/0');
    s.published(3);
    s.deleted(4);
    s.hint();
    // One may wait for its interval, two may not.
    expect(s.outbox(5, countsRow(2))).toEqual(['wake poll', 'wake counts']);
    s.hint();
    expect(s.outbox(6, countsRow(3, 'c_2'))).toEqual(['wake poll', '@7 count c_1, 16', '@8 count c_2, 16']);
  });
});
