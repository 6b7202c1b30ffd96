import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { onePlacement } from '../contract/placement.ts';
import { type ChatRecord, OPEN_END, type Role } from '../contract/records.ts';
import type {
  AppendResult,
  AskedSend,
  ChangeMemberResult,
  FoundSend,
  LoadResult,
} from '../contract/store.ts';
import { micros, SECOND } from '../contract/time.ts';
import type { ServiceRequest, SubmitRequest } from '../session/service-call.ts';
import { createMessageService, stepMessageService } from './message-service.ts';
import type { MessageServiceEffect } from './message-service-effect.ts';

const C = chatId('c_1');
const IDS = 2 ** 32;

/** `m_4294967297` is the first id of instance 1: `m1` here. */
const short = (id: string): string => `m${Number(id.slice(2)) - IDS}`;

function line(effect: MessageServiceEffect): string {
  switch (effect.kind) {
    case 'load-chat':
      return `load ${effect.request.chatId} asking ${effect.request.sends.map((s) => s.clientMsgId).join() || 'nothing'}`;
    case 'append': {
      const { chatId, expectHead, expectVersion, messages, recipients } = effect.request;
      const rows = messages
        .map((m) => `#${m.seq} ${m.from} ${m.clientMsgId} ${short(m.serverMsgId)}`)
        .join(', ');
      return `append ${chatId} at head ${expectHead} v${expectVersion}: ${rows} -> ${recipients?.join() ?? 'pages'}`;
    }
    case 'change-member': {
      const { chatId, expectHead, expectVersion, member } = effect.request;
      const spans = member.spans.map((s) => `(${s.after},${s.upTo === OPEN_END ? '…' : s.upTo}]`).join('');
      return `change ${chatId} at head ${expectHead} v${expectVersion}: ${member.userId} ${member.role} ${spans}`;
    }
    case 'create-chat': {
      const { kind, members } = effect.request;
      return `create ${kind}: ${members.map((m) => `${m.userId} ${m.role}`).join(', ')}`;
    }
    case 'reply': {
      const { reply } = effect;
      const to = `${effect.node}/${reply.conn}`;
      if (reply.kind === 'ack')
        return `ack ${to} ${reply.clientMsgId} #${reply.seq} ${short(reply.serverMsgId)}${reply.duplicate ? ' duplicate' : ''}`;
      if (reply.kind === 'refused')
        return `refuse ${to} ${reply.clientMsgId ?? reply.chatId ?? ''} ${reply.code}`;
      if (reply.kind === 'members') return `members ${to} ${reply.users.join()}`;
      if (reply.kind === 'chat-created')
        return `created ${to} ${reply.chatId}${reply.created ? '' : ' (was there)'}`;
      return `changed ${to}`;
    }
    case 'wake':
      return `wake ${effect.timer}`;
    case 'publish-transient':
      return `typing -> ${effect.events.map((e) => e.recipient).join()}`;
    case 'save-receipts':
      return `save ${effect.writes.length}`;
    case 'outbox-hint':
      return 'hint';
  }
}

/** A chat at `head` with members such as `{ u_1: 'owner' }`, all of them from the start. */
function record(head: number, members: Record<string, Role>, kind: ChatRecord['kind'] = 'group'): ChatRecord {
  return {
    chatId: C,
    kind,
    head,
    version: 0,
    members: Object.entries(members).map(([user, role]) => ({
      userId: userId(user),
      role,
      spans: [{ after: 0, upTo: OPEN_END }],
    })),
  };
}
const PAIR = { u_1: 'owner', u_2: 'member' } as const;

type AdminChange = [
  kind: 'set-member' | 'remove-member',
  actor: string,
  member: string,
  role?: 'admin' | 'member',
];

function start(change: Partial<Limits> = {}) {
  const service = createMessageService({
    nodeId: nodeId('ms-1'),
    instance: 1,
    limits: { ...DEFAULT_LIMITS, ...change },
    placement: onePlacement('eu'),
    region: 'eu',
    seed: 1,
  });
  let call = 0;
  let now = 1_000;
  let asked: readonly AskedSend[] = [];
  let known = record(0, PAIR);
  const step = (event: Parameters<typeof stepMessageService>[1]): string[] => {
    const effects = stepMessageService(service, event, micros(now));
    for (const effect of effects) {
      if ('call' in effect) call = effect.call;
      if (effect.kind === 'load-chat') asked = effect.request.sends;
    }
    return effects.map(line);
  };
  const request = (request: ServiceRequest) => step({ kind: 'request', request });
  const api = {
    service,
    step,
    request,
    /** What the store was last asked about. */
    sendsAsked: () => asked,
    send: (key: string, conn = 1, change: Partial<SubmitRequest> = {}) =>
      request({
        kind: 'submit',
        replyTo: { node: nodeId('gw-1'), conn: connId(conn) },
        userId: userId('u_1'),
        deviceId: deviceId('d_1'),
        chatId: C,
        clientMsgId: clientMsgId(key),
        ciphertext: 'AAAA',
        mediaIds: [],
        ...change,
      }),
    admin: (...[kind, actor, member, role = 'member']: AdminChange) =>
      request({
        kind,
        replyTo: { node: nodeId('api-1'), conn: connId(7) },
        userId: userId(actor),
        chatId: C,
        member: userId(member),
        role,
      }),
    /** As `admin`; when the service first reads the chat again, it finds what it knew. */
    decided: (...change: AdminChange): string[] => {
      const lines = api.admin(...change);
      return lines[0] === 'load c_1 asking nothing'
        ? api.loaded({ outcome: 'ok', chat: known, found: [] })
        : lines;
    },
    loaded: (result: LoadResult) => step({ kind: 'loaded', call, chatId: C, result }),
    appended: (result: AppendResult) => step({ kind: 'appended', call, chatId: C, result }),
    changed: (result: ChangeMemberResult) => step({ kind: 'member-changed', call, chatId: C, result }),
    retry: () => step({ kind: 'wake', timer: 'retry' }),
    later: (seconds: number) => (now += seconds * SECOND),
    /** Who is in the chat, asked by this user. */
    members: (user: string) =>
      request({
        kind: 'members',
        replyTo: { node: nodeId('gw-1'), conn: connId(1) },
        userId: userId(user),
        chatId: C,
      }),
    /** With the chat loaded and nothing under way. */
    ready: (chat: ChatRecord = record(0, PAIR)) => {
      known = chat;
      api.request({
        kind: 'members',
        replyTo: { node: nodeId('api-1'), conn: connId(7) },
        userId: userId('u_1'),
        chatId: C,
      });
      api.loaded({ outcome: 'ok', chat, found: [] });
      return api;
    },
  };
  return api;
}

const stored = (seq: number, key: string, id: number, change: Partial<FoundSend> = {}): FoundSend => ({
  chatId: C,
  seq,
  serverMsgId: serverMsgId(`m_${IDS + id}`),
  clientMsgId: clientMsgId(key),
  from: userId('u_1'),
  fromDevice: deviceId('d_1'),
  sameCiphertext: true,
  mediaIds: [],
  sentAt: micros(1),
  ...change,
});
const loadedWith = (head: number, ...found: FoundSend[]): LoadResult => ({
  outcome: 'ok',
  chat: record(head, PAIR),
  found,
});
const OK = { outcome: 'ok' } as const;

describe('the sequence of a chat', () => {
  // The first send loads the chat, asking what became of it; what arrives meanwhile goes with one write, in order.
  it('is dense, written one batch at a time, and acknowledged only when durable', () => {
    const s = start();
    expect(s.send('k1')).toEqual(['load c_1 asking k1']);
    expect(s.send('k2')).toEqual([]);
    expect(s.loaded(loadedWith(4))).toEqual([
      'append c_1 at head 4 v0: #5 u_1 k1 m1, #6 u_1 k2 m2 -> u_1,u_2',
    ]);
    expect(s.send('k3')).toEqual([]);
    expect(s.send('k4')).toEqual([]);
    expect(s.appended(OK)).toEqual([
      'ack gw-1/1 k1 #5 m1',
      'ack gw-1/1 k2 #6 m2',
      'hint',
      'append c_1 at head 6 v0: #7 u_1 k3 m3, #8 u_1 k4 m4 -> u_1,u_2',
    ]);
    expect(s.appended(OK)).toEqual(['ack gw-1/1 k3 #7 m3', 'ack gw-1/1 k4 #8 m4', 'hint']);
  });

  it('is cut into batches of the limit', () => {
    const s = start({ appendBatch: 2 });
    for (const key of ['k1', 'k2', 'k3']) s.send(key);
    expect(s.loaded(loadedWith(0))).toEqual([
      'append c_1 at head 0 v0: #1 u_1 k1 m1, #2 u_1 k2 m2 -> u_1,u_2',
    ]);
    expect(s.appended(OK).slice(-1)).toEqual(['append c_1 at head 2 v0: #3 u_1 k3 m3 -> u_1,u_2']);
  });

  it('leaves the recipients of a large group to the fan-out', () => {
    const listed = start({ inlineRecipients: 2 }).ready();
    expect(listed.send('k1')).toEqual(['append c_1 at head 0 v0: #1 u_1 k1 m1 -> u_1,u_2']);
    const s = start({ inlineRecipients: 1 }).ready();
    expect(s.send('k1')).toEqual(['append c_1 at head 0 v0: #1 u_1 k1 m1 -> pages']);
  });

  // Another service wrote first: this one's belief is stale, so it reads again and takes the next seqs.
  it('goes on behind what another service wrote, after a stale append', () => {
    const s = start().ready();
    s.send('k1');
    expect(s.appended({ outcome: 'stale' })).toEqual(['load c_1 asking k1']);
    expect(s.loaded(loadedWith(3))).toEqual(['append c_1 at head 3 v0: #4 u_1 k1 m1 -> u_1,u_2']);
  });

  it('keeps the order of what waited when a write has to be repeated', () => {
    const s = start().ready();
    s.send('k1');
    s.send('k2');
    expect(s.appended({ outcome: 'stale' })).toEqual(['load c_1 asking k1,k2']);
    s.send('k3');
    expect(s.loaded(loadedWith(1))).toEqual([
      'append c_1 at head 1 v0: #2 u_1 k1 m1, #3 u_1 k2 m2, #4 u_1 k3 m3 -> u_1,u_2',
    ]);
  });
});

describe('an append that did not end well', () => {
  it('failed: is repeated after a rest, with the same ids, until the attempts are used up', () => {
    const s = start({ appendAttempts: 2 }).ready();
    const append = s.send('k1');
    expect(s.appended({ outcome: 'failed' })).toEqual(['wake retry']);
    expect(s.retry()).toEqual(append);
    expect(s.appended({ outcome: 'failed' })).toEqual(['refuse gw-1/1 k1 unavailable', 'wake retry']);
    // The sender tries again with the same clientMsgId, and nothing stands in its way.
    expect(s.send('k1', 2)).toEqual([]);
    expect(s.retry()).toEqual(['append c_1 at head 0 v0: #1 u_1 k1 m2 -> u_1,u_2']);
  });

  // The connection to the store broke during COMMIT: the message may be there, or not.
  it('unknown, and it was written: it is found by the load and acknowledged, not as a duplicate', () => {
    const s = start().ready();
    s.send('k1');
    expect(s.appended({ outcome: 'unknown' })).toEqual(['wake retry']);
    expect(s.retry()).toEqual(['load c_1 asking k1']);
    expect(s.loaded(loadedWith(1, stored(1, 'k1', 1)))).toEqual(['ack gw-1/1 k1 #1 m1']);
    expect(s.send('k2')).toEqual(['append c_1 at head 1 v0: #2 u_1 k2 m2 -> u_1,u_2']);
  });

  it('unknown, and it was not written: it is appended again under the same serverMsgId', () => {
    const s = start().ready();
    s.send('k1');
    s.appended({ outcome: 'unknown' });
    s.retry();
    expect(s.loaded(loadedWith(0))).toEqual(['append c_1 at head 0 v0: #1 u_1 k1 m1 -> u_1,u_2']);
  });

  // The old COMMIT was still on its way when the load looked, and lands before the second attempt: a zombie.
  it('unknown, not found, and then it lands after all: the second attempt is refused by the store and found', () => {
    const s = start().ready();
    s.send('k1');
    s.appended({ outcome: 'unknown' });
    s.retry();
    s.loaded(loadedWith(0));
    expect(s.appended({ outcome: 'stale' })).toEqual(['load c_1 asking k1']);
    expect(s.loaded(loadedWith(1, stored(1, 'k1', 1)))).toEqual(['ack gw-1/1 k1 #1 m1']);
  });

  it('unknown, found only as a duplicate: acknowledged all the same, and the rest of the batch goes on', () => {
    const s = start().ready();
    s.send('k1');
    s.send('k2');
    s.appended({ outcome: 'unknown' });
    s.retry();
    s.loaded(loadedWith(0));
    expect(s.appended({ outcome: 'duplicate', found: [stored(1, 'k1', 1)] })).toEqual([
      'ack gw-1/1 k1 #1 m1',
      'append c_1 at head 0 v0: #1 u_1 k2 m2 -> u_1,u_2',
    ]);
    // Its head is stale by one, as the store will tell.
    expect(s.appended({ outcome: 'stale' })).toEqual(['load c_1 asking k2']);
    expect(s.loaded(loadedWith(1))).toEqual(['append c_1 at head 1 v0: #2 u_1 k2 m2 -> u_1,u_2']);
  });

  it('failed to load: rests, and gives up what has been tried often enough', () => {
    const s = start({ appendAttempts: 2 });
    s.send('k1');
    expect(s.loaded({ outcome: 'failed' })).toEqual(['wake retry']);
    s.send('k2');
    expect(s.retry()).toEqual(['load c_1 asking k1,k2']);
    expect(s.loaded({ outcome: 'failed' })).toEqual(['refuse gw-1/1 k1 unavailable', 'wake retry']);
    expect(s.retry()).toEqual(['load c_1 asking k2']);
  });
});

describe('a send that comes again', () => {
  it('gets the same answer, with duplicate, from memory or from the store', () => {
    const s = start().ready();
    s.send('k1');
    s.appended(OK);
    expect(s.send('k1', 2)).toEqual(['ack gw-1/2 k1 #1 m1 duplicate']);
    const restarted = start();
    restarted.send('k1', 3);
    expect(restarted.loaded(loadedWith(9, stored(1, 'k1', 77)))).toEqual(['ack gw-1/3 k1 #1 m77 duplicate']);
    expect(restarted.send('k1', 4)).toEqual(['ack gw-1/4 k1 #1 m77 duplicate']);
  });

  // The memory holds two generations of `recentSends`; the store remembers for ever.
  it('is asked of the store when it has been forgotten here', () => {
    const s = start({ recentSends: 1 }).ready();
    for (const key of ['k1', 'k2', 'k3']) {
      s.send(key);
      s.appended(OK);
    }
    expect(s.send('k3', 2)).toEqual(['ack gw-1/2 k3 #3 m3 duplicate']);
    expect(s.send('k1', 2)).toEqual(['append c_1 at head 3 v0: #4 u_1 k1 m4 -> u_1,u_2']);
    expect(s.appended({ outcome: 'duplicate', found: [stored(1, 'k1', 1)] })).toEqual([
      'ack gw-1/2 k1 #1 m1 duplicate',
    ]);
  });

  // What it said was dropped by retention long ago: the store compares by what it keeps for ever, and is asked with what
  // is said now. Whoever was acknowledged once is acknowledged always.
  it('is the same after the store has forgotten what it said', () => {
    const s = start();
    s.send('k1', 1);
    expect(s.sendsAsked()).toEqual([{ from: 'u_1', clientMsgId: 'k1', ciphertext: 'AAAA' }]);
    expect(s.loaded(loadedWith(9, stored(1, 'k1', 77)))).toEqual(['ack gw-1/1 k1 #1 m77 duplicate']);
    // Remembered with its content: what says something else is refused here.
    expect(s.send('k1', 2)).toEqual(['ack gw-1/2 k1 #1 m77 duplicate']);
    expect(s.send('k1', 3, { ciphertext: '' })).toEqual(['refuse gw-1/3 k1 idempotency_conflict']);
  });

  // The first attempt is still being written when the device resends over a new connection.
  it('joins the one that waits, and both connections hear of it', () => {
    const s = start().ready();
    s.send('k1', 1);
    expect(s.send('k1', 2)).toEqual([]);
    expect(s.appended(OK)).toEqual(['ack gw-1/1 k1 #1 m1', 'ack gw-1/2 k1 #1 m1 duplicate', 'hint']);
  });

  it('remembers the four latest connections of a send that joined and joined', () => {
    const s = start().ready();
    for (let conn = 1; conn <= 6; conn++) s.send('k1', conn);
    expect(
      s
        .appended(OK)
        .filter((l) => l.startsWith('ack'))
        .map((l) => l.split(' ')[1]),
    ).toEqual(['gw-1/3', 'gw-1/4', 'gw-1/5', 'gw-1/6']);
  });

  it('with other content is refused: while the first waits, from memory, and from the store', () => {
    const s = start().ready();
    s.send('k1');
    const conflict = ['refuse gw-1/2 k1 idempotency_conflict'];
    expect(s.send('k1', 2, { ciphertext: 'BBBB' })).toEqual(conflict);
    s.appended(OK);
    expect(s.send('k1', 2, { ciphertext: 'BBBB' })).toEqual(conflict);
    expect(s.send('k1', 2, { mediaIds: ['x_1'] as never })).toEqual(conflict);
    const restarted = start();
    restarted.send('k1', 2, { ciphertext: 'BBBB' });
    expect(restarted.loaded(loadedWith(1, stored(1, 'k1', 77, { sameCiphertext: false })))).toEqual(conflict);
    // Nothing of it is remembered: the send as it was is the message as it was.
    expect(restarted.send('k1', 2)).toEqual(['append c_1 at head 1 v0: #2 u_1 k1 m2 -> u_1,u_2']);
    expect(restarted.appended({ outcome: 'duplicate', found: [stored(1, 'k1', 77)] })).toEqual([
      'ack gw-1/2 k1 #1 m77 duplicate',
    ]);
    // The same bytes, but it had gone into another chat.
    const elsewhere = start();
    elsewhere.send('k1', 2);
    expect(elsewhere.loaded(loadedWith(1, stored(1, 'k1', 77, { chatId: chatId('c_2') })))).toEqual(conflict);
  });

  // One append with the same send twice is refused by the store as a whole, again and again, others' messages with it.
  it('joins its own, also while another user’s send with the same UUID waits', () => {
    const s = start().ready();
    const other = { userId: userId('u_2'), deviceId: deviceId('d_2') };
    s.send('k0');
    s.send('k1', 1);
    s.send('k1', 2, other);
    s.send('k1', 3, other);
    expect(s.appended(OK).slice(-1)).toEqual([
      'append c_1 at head 1 v0: #2 u_1 k1 m2, #3 u_2 k1 m3 -> u_1,u_2',
    ]);
    expect(s.appended(OK)).toEqual([
      'ack gw-1/1 k1 #2 m2',
      'ack gw-1/2 k1 #3 m3',
      'ack gw-1/3 k1 #3 m3 duplicate',
      'hint',
    ]);
  });

  it('is another message when another user made the same UUID', () => {
    const s = start().ready();
    s.send('k1', 1);
    expect(s.send('k1', 2, { userId: userId('u_2'), deviceId: deviceId('d_2') })).toEqual([]);
    expect(s.appended(OK)).toEqual([
      'ack gw-1/1 k1 #1 m1',
      'hint',
      'append c_1 at head 1 v0: #2 u_2 k1 m2 -> u_1,u_2',
    ]);
    expect(s.appended(OK)).toEqual(['ack gw-1/2 k1 #2 m2', 'hint']);
    // Also when the first is remembered here.
    const later = start().ready();
    later.send('k1', 1);
    later.appended(OK);
    expect(later.send('k1', 2, { userId: userId('u_2'), deviceId: deviceId('d_2') })).toEqual([
      'append c_1 at head 1 v0: #2 u_2 k1 m2 -> u_1,u_2',
    ]);
  });
});

describe('a send of somebody who is not in the chat', () => {
  const stranger = { userId: userId('u_9'), deviceId: deviceId('d_9') };

  // What this service knows may be old: the user may have been added, or the message may have been written, elsewhere.
  it('is refused only after the store was asked', () => {
    const s = start().ready();
    expect(s.send('k1', 1, stranger)).toEqual(['load c_1 asking k1']);
    expect(s.loaded(loadedWith(0))).toEqual(['refuse gw-1/1 k1 no_such_chat']);
    // Refused is not remembered: nothing waits under this key.
    expect(s.send('k1', 2, stranger)).toEqual(['load c_1 asking k1']);
    expect(s.loaded({ outcome: 'ok', chat: record(0, { ...PAIR, u_9: 'member' }), found: [] })).toEqual([
      'append c_1 at head 0 v0: #1 u_9 k1 m2 -> u_1,u_2,u_9',
    ]);
  });

  it('is acknowledged when it was a message before its sender left', () => {
    const s = start().ready();
    s.send('k1', 1, stranger);
    expect(s.loaded(loadedWith(1, stored(1, 'k1', 5, { from: userId('u_9') })))).toEqual([
      'ack gw-1/1 k1 #1 m5 duplicate',
    ]);
  });

  it('does not hold up the members around it, and tells who left so', () => {
    const s = start();
    const gone = { userId: userId('u_9'), role: 'member' as const, spans: [{ after: 0, upTo: 2 }] };
    s.send('k1');
    s.send('k2', 2, stranger);
    s.send('k3');
    s.loaded({ outcome: 'failed' });
    expect(s.retry()).toEqual(['load c_1 asking k1,k2,k3']);
    const chat = record(2, PAIR);
    expect(
      s.loaded({ outcome: 'ok', chat: { ...chat, members: [...chat.members, gone] }, found: [] }),
    ).toEqual([
      'refuse gw-1/2 k2 not_a_member',
      'append c_1 at head 2 v0: #3 u_1 k1 m1, #4 u_1 k3 m3 -> u_1,u_2',
    ]);
  });

  it('lets what came before it be written first, then asks', () => {
    const s = start().ready();
    s.send('k0');
    s.send('k1');
    s.send('k2', 2, stranger);
    s.send('k3');
    expect(s.appended(OK).slice(-1)).toEqual(['append c_1 at head 1 v0: #2 u_1 k1 m2 -> u_1,u_2']);
    expect(s.appended(OK).slice(-1)).toEqual(['load c_1 asking k2,k3']);
    expect(s.loaded(loadedWith(2))).toEqual([
      'refuse gw-1/2 k2 no_such_chat',
      'append c_1 at head 2 v0: #3 u_1 k3 m4 -> u_1,u_2',
    ]);
  });

  it('is answered alike when there is no such chat', () => {
    const s = start();
    s.send('k1');
    s.send('k2');
    expect(s.loaded({ outcome: 'no-chat' })).toEqual([
      'refuse gw-1/1 k1 no_such_chat',
      'refuse gw-1/1 k2 no_such_chat',
    ]);
    expect(s.service.chats.size).toBe(0);
    expect(s.service.backlog).toBe(0);
  });
});

describe('too much work', () => {
  it('is refused per chat and per service, and taken again when there is room', () => {
    const s = start({ chatBacklog: 2 }).ready();
    s.send('k1');
    s.send('k2');
    expect(s.send('k3')).toEqual(['refuse gw-1/1 k3 overloaded']);
    // A repetition needs no room of its own.
    expect(s.send('k2', 2)).toEqual([]);
    expect(s.admin('set-member', 'u_1', 'u_3')).toEqual(['refuse api-1/7 c_1 overloaded']);
    s.appended(OK);
    expect(s.send('k3')).toEqual([]);

    const wide = start({ serviceBacklog: 1 });
    expect(wide.send('k1')).toEqual(['load c_1 asking k1']);
    expect(wide.send('k2', 1, { chatId: chatId('c_2') })).toEqual(['refuse gw-1/1 k2 overloaded']);
    // What is being written may have to wait again.
    expect(wide.loaded(loadedWith(0))).toHaveLength(1);
    expect(wide.send('k2', 1, { chatId: chatId('c_2') })).toEqual(['refuse gw-1/1 k2 overloaded']);
    wide.appended(OK);
    expect(wide.send('k2', 1, { chatId: chatId('c_2') })).toEqual(['load c_2 asking k2']);
  });

  it('leaves no trace: after everything is answered, nothing is counted', () => {
    const s = start().ready();
    for (const key of ['k1', 'k2', 'k3']) s.send(key);
    s.appended({ outcome: 'unknown' });
    s.retry();
    s.loaded(loadedWith(1, stored(1, 'k1', 1)));
    s.appended(OK);
    expect([s.service.backlog, s.service.writing]).toEqual([0, 0]);
    expect(s.service.chats.get(C)?.waiting.size).toBe(0);
  });

  it('forgets idle chats first, and busy ones never', () => {
    const s = start({ loadedChats: 2 }).ready();
    s.send('k1');
    for (let n = 2; n < 8; n++) s.send(`k${n}`, 1, { chatId: chatId(`c_${n}`) });
    expect(s.service.chats.has(C)).toBe(true);
    expect(s.appended(OK)).toEqual(['ack gw-1/1 k1 #1 m1', 'hint']);
  });

  it('keeps no chat for what it refuses', () => {
    const s = start({ serviceBacklog: 1 });
    s.send('k1');
    for (let n = 2; n < 20; n++) {
      expect(s.send(`k${n}`, 1, { chatId: chatId(`c_${n}`) })).toEqual([`refuse gw-1/1 k${n} overloaded`]);
    }
    expect(s.service.chats.size).toBe(1);
  });

  it('forgets chats that are in doubt and have nothing to do, and shrinks back to its limit', () => {
    const s = start({ loadedChats: 2, appendAttempts: 1 });
    for (let n = 2; n < 8; n++) s.send(`k${n}`, 1, { chatId: chatId(`c_${n}`) });
    expect(s.service.chats.size).toBe(6);
    for (let n = 2; n < 8; n++) {
      s.step({ kind: 'loaded', call: n, chatId: chatId(`c_${n}`), result: { outcome: 'failed' } });
    }
    s.retry();
    expect([...s.service.chats.values()].map(({ phase }) => phase)).toEqual(Array(6).fill('cold'));
    s.send('k8', 1, { chatId: chatId('c_8') });
    expect(s.service.chats.size).toBe(2);
  });
});

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

describe('an instance number', () => {
  it('must fit, and makes ids that no other instance makes', () => {
    const make = (instance: number) =>
      createMessageService({
        nodeId: nodeId('ms-1'),
        instance,
        limits: DEFAULT_LIMITS,
        placement: onePlacement('eu'),
        region: 'eu',
        seed: 1,
      });
    for (const bad of [0, -1, 1.5, 2 ** 21]) expect(() => make(bad)).toThrow('instance out of range');
    const last = make(2 ** 21 - 1);
    last.nextId = IDS - 1;
    const request = { kind: 'create-chat', userId: userId('u_1'), chatKind: 'group', members: [] } as const;
    const replyTo = { node: nodeId('api-1'), conn: connId(7) };
    const [effect] = stepMessageService(
      last,
      { kind: 'request', request: { ...request, replyTo } },
      micros(0),
    );
    // The largest id of all, still exact.
    expect(effect).toMatchObject({ request: { chatId: `c_${Number.MAX_SAFE_INTEGER}` } });
    const again = { kind: 'request', request: { ...request, replyTo } } as const;
    expect(() => stepMessageService(last, again, micros(0))).toThrow('used up');
  });
});
