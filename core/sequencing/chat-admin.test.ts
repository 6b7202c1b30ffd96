import { describe, expect, it } from 'vitest';
import { connId, nodeId, userId } from '../contract/ids.ts';
import { OPEN_END } from '../contract/records.ts';
import type { ServiceRequest } from '../session/service-call.ts';
import { C, loadedWith, OK, PAIR, record, start } from './testing/message-service-under-test.ts';

describe('membership', () => {
  const group = record(4, { u_1: 'owner', u_2: 'admin', u_3: 'member' });

  it('changes at the head: who joins gets what comes after, who leaves keeps what came before', () => {
    const s = start().ready(group);
    expect(s.admin('set-member', 'u_1', 'u_4')).toEqual(['change c_1 at head 4 v0: u_4 member (4,…]']);
    s.send('k1');
    expect(s.changed(OK)).toEqual([
      'changed api-1/7',
      'append c_1 at head 4 v1: #5 u_1 k1 m1 -> u_1,u_2,u_3,u_4',
    ]);
    s.appended(OK);
    expect(s.admin('remove-member', 'u_1', 'u_4')).toEqual(['change c_1 at head 5 v1: u_4 member (4,5]']);
    expect(s.changed(OK)).toEqual(['changed api-1/7']);
    expect(s.send('k2')).toEqual(['append c_1 at head 5 v2: #6 u_1 k2 m2 -> u_1,u_2,u_3']);
  });

  it('keeps its place among the sends', () => {
    const s = start().ready(group);
    s.send('k1');
    s.send('k2');
    s.admin('remove-member', 'u_1', 'u_3');
    s.send('k3');
    expect(s.appended(OK).slice(-1)).toEqual(['append c_1 at head 5 v0: #6 u_1 k2 m2 -> u_1,u_2,u_3']);
    expect(s.appended(OK).slice(-1)).toEqual(['change c_1 at head 6 v0: u_3 member (0,6]']);
    expect(s.changed(OK)).toEqual(['changed api-1/7', 'append c_1 at head 6 v1: #7 u_1 k3 m3 -> u_1,u_2']);
  });

  it('is decided again on fresh knowledge when the write was stale or its outcome unknown', () => {
    const s = start().ready(group);
    s.admin('set-member', 'u_1', 'u_4');
    expect(s.changed({ outcome: 'stale' })).toEqual(['load c_1 asking nothing']);
    const later = { ...group, head: 6, version: 3 };
    expect(s.loaded({ outcome: 'ok', chat: later, found: [] })).toEqual([
      'change c_1 at head 6 v3: u_4 member (6,…]',
    ]);
    expect(s.changed({ outcome: 'unknown' })).toEqual(['wake retry']);
    expect(s.retry()).toEqual(['load c_1 asking nothing']);
    // It had happened: there is nothing left to change.
    const u4 = { userId: userId('u_4'), role: 'member' as const, spans: [{ after: 6, upTo: OPEN_END }] };
    const done = { ...later, version: 4, members: [...later.members, u4] };
    expect(s.loaded({ outcome: 'ok', chat: done, found: [] })).toEqual(['changed api-1/7']);
  });

  // Each time is remembered for ever, and the reads of its user carry all of them.
  it('is not given for another time to who has come and gone too many times', () => {
    const gone = { userId: userId('u_4'), role: 'member' as const, spans: [{ after: 1, upTo: 3 }] };
    const chat = { ...group, members: [...group.members, gone] };
    const add = ['set-member', 'u_1', 'u_4'] as const;
    expect(
      start({ memberSpans: 1 })
        .ready(chat)
        .decided(...add),
    ).toEqual(['refuse api-1/7 c_1 too_large']);
    expect(
      start({ memberSpans: 2 })
        .ready(chat)
        .decided(...add),
    ).toEqual(['change c_1 at head 4 v0: u_4 member (1,3](4,…]']);
    const lately = { ...chat, members: [...group.members, { ...gone, spans: [{ after: 1, upTo: 4 }] }] };
    expect(
      start({ memberSpans: 1 })
        .ready(lately)
        .decided(...add),
    ).toEqual(['change c_1 at head 4 v0: u_4 member (1,…]']);
  });

  it('is given up when the store stays away', () => {
    const s = start({ appendAttempts: 2 }).ready(group);
    s.admin('set-member', 'u_1', 'u_4');
    s.changed({ outcome: 'failed' });
    expect(s.retry()).toEqual(['change c_1 at head 4 v0: u_4 member (4,…]']);
    expect(s.changed({ outcome: 'failed' })).toEqual(['refuse api-1/7 c_1 unavailable', 'wake retry']);
  });

  it.each([
    // actor, what, whom, as what, the answer
    ['u_3', 'set-member', 'u_4', 'member', 'refuse api-1/7 c_1 forbidden'],
    ['u_3', 'remove-member', 'u_2', 'member', 'refuse api-1/7 c_1 forbidden'],
    ['u_3', 'remove-member', 'u_3', 'member', 'change c_1 at head 4 v0: u_3 member (0,4]'],
    ['u_2', 'set-member', 'u_4', 'admin', 'change c_1 at head 4 v0: u_4 admin (4,…]'],
    ['u_2', 'set-member', 'u_3', 'admin', 'change c_1 at head 4 v0: u_3 admin (0,…]'],
    ['u_2', 'set-member', 'u_3', 'member', 'changed api-1/7'],
    ['u_2', 'set-member', 'u_1', 'member', 'refuse api-1/7 c_1 forbidden'],
    ['u_2', 'remove-member', 'u_1', 'member', 'refuse api-1/7 c_1 forbidden'],
    ['u_1', 'remove-member', 'u_1', 'member', 'change c_1 at head 4 v0: u_1 member (0,4]'],
    ['u_1', 'remove-member', 'u_9', 'member', 'changed api-1/7'],
    ['u_9', 'set-member', 'u_9', 'admin', 'refuse api-1/7 c_1 no_such_chat'],
    ['u_9', 'remove-member', 'u_3', 'member', 'refuse api-1/7 c_1 no_such_chat'],
  ] as const)('%s may %s %s as %s: %s', (actor, kind, member, role, answer) => {
    expect(start().ready(group).decided(kind, actor, member, role)).toEqual([answer]);
  });

  it('of a direct chat is fixed', () => {
    const s = start().ready(record(4, PAIR, 'direct'));
    expect(s.decided('set-member', 'u_1', 'u_3')).toEqual(['refuse api-1/7 c_1 bad_frame']);
    expect(s.decided('remove-member', 'u_1', 'u_2')).toEqual(['refuse api-1/7 c_1 bad_frame']);
    expect(s.decided('remove-member', 'u_2', 'u_2')).toEqual(['refuse api-1/7 c_1 bad_frame']);
  });

  it('is limited', () => {
    const s = start({ chatMembers: 3 }).ready(group);
    expect(s.decided('set-member', 'u_1', 'u_4')).toEqual(['refuse api-1/7 c_1 too_large']);
    expect(s.decided('set-member', 'u_1', 'u_3', 'admin')).toEqual([
      'change c_1 at head 4 v0: u_3 admin (0,…]',
    ]);
  });

  // Another service removed u_3: "is a member already" would be an answer to a question that nobody asks any more.
  it('that looks like none is decided on what the store says', () => {
    const s = start().ready(group);
    expect(s.admin('set-member', 'u_1', 'u_3')).toEqual(['load c_1 asking nothing']);
    const without = { ...record(6, { u_1: 'owner', u_2: 'admin' }), version: 1 };
    expect(s.loaded({ outcome: 'ok', chat: without, found: [] })).toEqual([
      'change c_1 at head 6 v1: u_3 member (6,…]',
    ]);
  });
});

describe('the list of members', () => {
  it('is told from memory while that is fresh, and read again when it may be old', () => {
    const s = start().ready();
    expect(s.members('u_2')).toEqual(['members gw-1/1 u_1,u_2']);
    s.later(44);
    expect(s.members('u_2')).toEqual(['members gw-1/1 u_1,u_2']);
    s.later(1);
    expect(s.members('u_2')).toEqual(['load c_1 asking nothing']);
    // Another service removed u_1 meanwhile.
    const chat = { ...record(1, { u_2: 'admin' }), version: 1 };
    expect(s.loaded({ outcome: 'ok', chat, found: [] })).toEqual(['members gw-1/1 u_2']);
  });

  // A write that the store let through proves that nobody else changed the chat.
  it('is made fresh by a write as by a load', () => {
    const s = start().ready();
    s.later(40);
    s.send('k1');
    s.appended(OK);
    s.later(40);
    expect(s.members('u_2')).toEqual(['members gw-1/1 u_1,u_2']);
    s.admin('set-member', 'u_1', 'u_3');
    s.changed(OK);
    s.later(40);
    expect(s.members('u_2')).toEqual(['members gw-1/1 u_1,u_2,u_3']);
  });

  it('names nobody when there are more than show presence, as far as changes have come', () => {
    const s = start({ presenceMembers: 2 }).ready();
    s.admin('set-member', 'u_1', 'u_3');
    s.changed(OK);
    expect(s.members('u_2')).toEqual(['members gw-1/1 u_1,u_2,u_3']);
    s.admin('set-member', 'u_1', 'u_4');
    s.changed(OK);
    expect(s.members('u_2')).toEqual(['members gw-1/1 ']);
    s.admin('remove-member', 'u_1', 'u_3');
    s.changed(OK);
    expect(s.members('u_2')).toEqual(['members gw-1/1 u_1,u_2,u_4']);
  });

  it('is refused to a stranger only after the store was asked', () => {
    const s = start().ready();
    expect(s.members('u_9')).toEqual(['load c_1 asking nothing']);
    expect(s.loaded(loadedWith(0))).toEqual(['refuse gw-1/1 c_1 no_such_chat']);
    s.members('u_9');
    expect(s.loaded({ outcome: 'ok', chat: record(0, { ...PAIR, u_9: 'member' }), found: [] })).toEqual([
      'members gw-1/1 u_1,u_2,u_9',
    ]);
  });
});

describe('a new chat', () => {
  const create = (chatKind: 'direct' | 'group', ...members: string[]): ServiceRequest => ({
    kind: 'create-chat',
    replyTo: { node: nodeId('api-1'), conn: connId(7) },
    userId: userId('u_1'),
    chatKind,
    members: members.map(userId),
  });

  it('has its creator as owner, each member once, and an answer that names it', () => {
    const s = start();
    expect(s.request(create('group', 'u_2', 'u_1', 'u_2'))).toEqual(['create group: u_1 owner, u_2 member']);
    expect(
      s.step({ kind: 'chat-created', call: 1, result: { outcome: 'ok', chatId: C, created: true } }),
    ).toEqual(['created api-1/7 c_1']);
    s.request(create('direct', 'u_2'));
    expect(
      s.step({ kind: 'chat-created', call: 2, result: { outcome: 'ok', chatId: C, created: false } }),
    ).toEqual(['created api-1/7 c_1 (was there)']);
    s.request(create('direct', 'u_2'));
    expect(s.step({ kind: 'chat-created', call: 3, result: { outcome: 'unknown' } })).toEqual([
      'refuse api-1/7  unavailable',
    ]);
  });

  it('is refused with the wrong number of members', () => {
    const s = start({ chatMembers: 3, chatBacklog: 1 });
    expect(s.request(create('direct'))).toEqual(['refuse api-1/7  bad_frame']);
    expect(s.request(create('direct', 'u_1'))).toEqual(['refuse api-1/7  bad_frame']);
    expect(s.request(create('direct', 'u_2', 'u_3'))).toEqual(['refuse api-1/7  bad_frame']);
    expect(s.request(create('group', 'u_2', 'u_3', 'u_4'))).toEqual(['refuse api-1/7  too_large']);
    s.request(create('group', 'u_2'));
    expect(s.request(create('group', 'u_2'))).toEqual(['refuse api-1/7  overloaded']);
  });
});

describe('typing', () => {
  const typing = (user: string): ServiceRequest => ({
    kind: 'typing',
    replyTo: { node: nodeId('gw-1'), conn: connId(1) },
    userId: userId(user),
    chatId: C,
  });

  it('goes to the others of a small chat that is loaded, and nowhere else', () => {
    expect(start().request(typing('u_1'))).toEqual([]);
    expect(start().ready().request(typing('u_1'))).toEqual(['typing -> u_2']);
    expect(start().ready().request(typing('u_9'))).toEqual([]);
    expect(start({ receiptMembers: 0 }).ready().request(typing('u_1'))).toEqual([]);
    expect(
      start()
        .ready(record(0, { u_1: 'owner' }))
        .request(typing('u_1')),
    ).toEqual([]);
  });
});
