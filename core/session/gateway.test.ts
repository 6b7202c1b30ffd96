import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import {
  type ChatSummary,
  type DeliveryItem,
  OPEN_END,
  type ReceiptRecord,
  type Span,
  type StoredMessage,
} from '../contract/records.ts';
import type { FetchResult } from '../contract/store.ts';
import { micros, SECOND } from '../contract/time.ts';
import type { ClientFrame, ErrorCode, ServerFrame } from '../wire/frames.ts';
import { createGateway, stepGateway } from './gateway.ts';
import type { GatewayEffect } from './gateway-effect.ts';
import type { GatewayEvent, GatewayTimer } from './gateway-event.ts';
import type { ClaimResult, RenewOutcome } from './lease.ts';
import type { ServiceRequest } from './service-call.ts';

// ---------------------------------------------------------------- effects as lines

function frameLine(f: ServerFrame): string {
  switch (f.frame) {
    case 'WELCOME':
      return [
        'WELCOME',
        `e${f.sessionEpoch}`,
        ...f.chats.map((c) => `${c.chatId} ${c.cursor}/${c.head}`),
      ].join(' ');
    case 'SYNCED':
      return ['SYNCED', ...f.heads.map(([chat, head]) => `${chat} ${head}`)].join(' ');
    case 'MESSAGE':
      return `MESSAGE ${f.chatId} #${f.seq} prev ${f.prev}${f.clientMsgId === undefined ? '' : ` own ${f.clientMsgId}`}`;
    case 'ACK':
      return `ACK ${f.clientMsgId} #${f.seq}${f.duplicate ? ' duplicate' : ''}`;
    case 'RECEIPT':
      return `RECEIPT ${f.userId} ${f.type} #${f.seq}`;
    case 'ERROR':
      return `ERROR ${f.code}${f.clientMsgId === undefined ? '' : ` ${f.clientMsgId}`}`;
    case 'GOAWAY':
      return `GOAWAY ${f.reason}`;
    case 'PING':
    case 'PONG':
      return `${f.frame} ${f.t}`;
    case 'SYNC_END':
      return `SYNC_END ${f.chatId} ${f.head}`;
    case 'TYPING':
      return `TYPING ${f.from}`;
    case 'PRESENCE':
      return `PRESENCE ${f.userId}`;
  }
}

function requestLine(r: ServiceRequest): string {
  if (r.kind === 'submit') return `submit ${r.clientMsgId} of ${r.deviceId}`;
  if (r.kind === 'receipt')
    return `note ${r.type} ${r.chatId} ${r.seq === undefined ? r.serverMsgId : `#${r.seq}`}`;
  return r.kind;
}

function line(effect: GatewayEffect): string {
  switch (effect.kind) {
    case 'frame':
      return `${effect.conn} < ${frameLine(effect.frame)}`;
    case 'disconnect':
      return `${effect.conn} close ${effect.code}`;
    case 'open-device':
      return `${effect.conn} open ${effect.deviceId}`;
    case 'claim':
      return `${effect.conn} claim e${effect.entry.epoch}`;
    case 'list-chats':
      return `${effect.conn} list`;
    case 'fetch':
      return `${effect.conn} fetch ${effect.chatId} after ${effect.afterSeq}, ${effect.limit}`;
    case 'request':
      return requestLine(effect.request);
    case 'push-result':
      return `push ${effect.pushId} ${effect.outcome}`;
    case 'renew':
      return `renew ${effect.conns.join()}`;
    case 'release':
      return `release ${effect.entry.deviceId} e${effect.entry.epoch}`;
    case 'evict':
      return `evict ${effect.deviceId} below e${effect.epoch} at ${effect.gatewayId}`;
    case 'wake':
      return `wake ${effect.timer}${effect.conn === undefined ? '' : ` ${effect.conn}`} in ${effect.after / SECOND} s`;
    case 'drained':
      return 'drained';
    case 'confirm-device':
      return `confirm ${effect.deviceId}`;
    case 'read-heads':
      return `heads ${effect.chatIds.join()}`;
    case 'count-receipts':
      return `${effect.conn} count ${effect.request.chatId} of ${effect.request.from}`;
    case 'read-presence':
    case 'watch':
    case 'unwatch':
      return effect.kind;
  }
}

// ---------------------------------------------------------------- the world around the gateway

const C = chatId('c_1');
const EVER: readonly Span[] = [{ after: 0, upTo: OPEN_END }];
const me = (device = 1) => ({ userId: userId('u_1'), deviceId: deviceId(`d_${device}`) });

const chat = (cursor: number, head: number, change: Partial<ChatSummary> = {}): ChatSummary => ({
  chatId: C,
  head,
  cursor,
  spans: EVER,
  receipts: [],
  size: 2,
  ...change,
});
const row = (seq: number, change: Partial<StoredMessage> = {}): StoredMessage => ({
  chatId: C,
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  clientMsgId: clientMsgId(`k${seq}`),
  from: userId('u_2'),
  fromDevice: deviceId('d_2'),
  ciphertext: 'AAAA',
  mediaIds: [],
  sentAt: micros(1),
  ...change,
});
const mine = (device: number) => ({ from: userId('u_1'), fromDevice: deviceId(`d_${device}`) });
const readBy = (user: string, seq: number, chatId = C): ReceiptRecord => ({
  chatId,
  userId: userId(user),
  type: 'READ',
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  at: micros(1),
});

function start(change: Partial<Limits> = {}) {
  const gateway = createGateway({
    nodeId: nodeId('gw-1'),
    region: 'eu',
    limits: { ...DEFAULT_LIMITS, ...change },
    seed: 1,
  });
  let now = 100 * SECOND;
  let call = 0;
  /** Of the latest fetch. */
  let page = { limit: 0, bytes: 0 };
  let pushId = 0;
  /** Every effect of one event. */
  const all = (event: GatewayEvent): string[] => {
    const effects = stepGateway(gateway, event, micros(now));
    for (const effect of effects) {
      if (effect.kind !== 'fetch') continue;
      call = effect.call;
      page = { limit: effect.limit, bytes: effect.bytes };
    }
    return effects.map(line);
  };
  /** The same without timers, which most scenarios are not about. */
  const step = (event: GatewayEvent): string[] => all(event).filter((l) => !l.startsWith('wake'));
  const push = (item: DeliveryItem, device: number, epoch: number) =>
    step({
      kind: 'push',
      push: { worker: nodeId('dw-1'), pushId: ++pushId, ...me(device), epoch, item },
    });
  const api = {
    gateway,
    all,
    step,
    later: (seconds: number) => (now += seconds * SECOND),
    open: (conn = 1, device = 1) =>
      all({ kind: 'open', conn: connId(conn), ...me(device), expiresAt: micros(5_000 * SECOND) }),
    opened: (epoch: number, conn = 1, confirmed = true) =>
      all({ kind: 'device-opened', conn: connId(conn), result: { outcome: 'ok', epoch, confirmed } }),
    notOpened: (outcome: 'failed' | 'unknown', conn = 1) =>
      all({ kind: 'device-opened', conn: connId(conn), result: { outcome } }),
    claimed: (result: ClaimResult = { outcome: 'held', previous: undefined }, conn = 1) =>
      all({ kind: 'claimed', conn: connId(conn), result }),
    chats: (chats: readonly ChatSummary[], conn = 1, complete = true) =>
      step({ kind: 'chats', conn: connId(conn), result: { outcome: 'ok', chats, complete } }),
    notListed: (conn = 1) => all({ kind: 'chats', conn: connId(conn), result: { outcome: 'failed' } }),
    say: (frame: ClientFrame, conn = 1) => step({ kind: 'frame', conn: connId(conn), frame }),
    resume: (cursor?: number, conn = 1) =>
      api.say({ frame: 'RESUME', cursors: cursor === undefined ? [] : [[C, cursor]] }, conn),
    /** DELIVERED or READ of the message with this seq. */
    receipt: (seq: number, type: 'DELIVERED' | 'READ' = 'DELIVERED', conn = 1) =>
      api.say({ frame: 'RECEIPT', chatId: C, serverMsgId: serverMsgId(`m_${seq}`), type }, conn),
    send: (key: string, conn = 1) =>
      api.say(
        { frame: 'SEND', clientMsgId: clientMsgId(key), chatId: C, ciphertext: 'AAAA', mediaIds: [] },
        conn,
      ),
    ack: (key: string, seq: number, conn = 1) =>
      step({
        kind: 'reply',
        reply: {
          kind: 'ack',
          conn: connId(conn),
          clientMsgId: clientMsgId(key),
          chatId: C,
          serverMsgId: serverMsgId(`m_${seq}`),
          seq,
          duplicate: false,
        },
      }),
    push: (seq: number, change: Partial<StoredMessage> = {}, device = 1, epoch = 1) =>
      push({ kind: 'message', message: row(seq, change) }, device, epoch),
    pushLong: (seq: number) =>
      push({ kind: 'message', message: { ...row(seq), ciphertext: undefined } }, 1, 1),
    pushReceipt: (receipt: ReceiptRecord) => push({ kind: 'receipt', receipt }, 1, 1),
    pushTyping: () => push({ kind: 'typing', chatId: C, from: userId('u_2') }, 1, 1),
    /** Answers the latest fetch with these messages of c_1, of which `head` is the newest there is. */
    fetched: (seqs: readonly number[], head: number, spans = EVER, conn = 1) =>
      api.fetchedRows(
        seqs.map((seq) => row(seq)),
        head,
        spans,
        conn,
      ),
    fetchedRows: (messages: readonly StoredMessage[], head: number, spans = EVER, conn = 1) =>
      api.answer(
        { outcome: 'ok', messages, more: messages.length >= page.limit, head, spans, size: 2 },
        conn,
      ),
    /** As `fetched`, of a page that ended at its size. */
    fetchedFull: (seqs: readonly number[], head: number) =>
      api.answer({
        outcome: 'ok',
        messages: seqs.map((seq) => row(seq)),
        more: true,
        head,
        spans: EVER,
        size: 2,
      }),
    call: () => call,
    /** How much of the store the latest fetch asked for. */
    page: () => page,
    answer: (result: FetchResult, conn = 1) =>
      step({ kind: 'fetched', conn: connId(conn), call, chatId: C, result }),
    wake: (timer: GatewayTimer, conn?: number) =>
      all({ kind: 'wake', timer, conn: conn === undefined ? undefined : connId(conn) }),
    renewed: (...outcomes: RenewOutcome[]) =>
      step({ kind: 'renewed', conns: outcomes.map((_, i) => connId(i + 1)), outcomes }),
    /** Up to WELCOME, with these chats. */
    welcome: (chats: readonly ChatSummary[] = [chat(5, 5)], conn = 1, device = 1, epoch = 1) => {
      api.open(conn, device);
      api.opened(epoch, conn);
      api.claimed(undefined, conn);
      api.chats(chats, conn);
      return api;
    },
    /** Live, in one chat of five messages that the device has. */
    live: (conn = 1, device = 1, epoch = 1) => {
      api.welcome(undefined, conn, device, epoch);
      api.resume(undefined, conn);
      return api;
    },
  };
  return api;
}

// ---------------------------------------------------------------- scenarios

describe('opening a session', () => {
  // The lease is claimed before the chats are listed: a message that comes after the list finds the lease.
  it('goes by epoch, lease, list, WELCOME, RESUME, SYNCED', () => {
    const s = start();
    expect(s.open()).toEqual(['1 open d_1', 'wake session 1 in 10 s']);
    expect(s.opened(3)).toEqual(['1 claim e3']);
    expect(s.claimed()).toEqual(['wake renew in 15 s', '1 list']);
    expect(s.chats([chat(3, 5)])).toEqual(['1 < WELCOME e3 c_1 3/5']);
    expect(s.resume()).toEqual(['1 fetch c_1 after 3, 128']);
    expect(s.fetched([4, 5], 5)).toEqual([
      '1 < MESSAGE c_1 #4 prev 3',
      '1 < MESSAGE c_1 #5 prev 4',
      '1 < SYNCED c_1 5',
    ]);
  });

  describe('while a shard does not answer', () => {
    const other = chatId('c_2');
    const opened = (): ReturnType<typeof start> => {
      const s = start();
      s.open();
      s.opened(1);
      s.claimed();
      return s;
    };

    it('opens with the chats there are, and reads the list again, ever less often, until it is whole', () => {
      const s = opened();
      expect(s.chats([chat(5, 5)], 1, false)).toEqual(['1 < WELCOME e1 c_1 5/5']);
      expect(s.say({ frame: 'RESUME', cursors: [[other, 7]] })).toEqual(['1 < SYNCED c_1 5']);
      expect(s.wake('renew')).toContain('1 list');
      expect(s.chats([chat(5, 5)], 1, false)).toEqual([]);
      // After one renewal, then after up to two, up to four, and no more than that.
      const renewals = [1, 2, 3, 4, 5].map(() => {
        let n = 1;
        while (!s.wake('renew').includes('1 list')) n++;
        s.chats([chat(5, 5)], 1, false);
        return n;
      });
      expect(renewals).toEqual([2, 1, 2, 3, 2]);
      let whole = false;
      while (!whole) whole = s.wake('renew').includes('1 list');
      // From where RESUME said, not from the stored cursor; and the store is told, as at any RESUME.
      expect(s.chats([chat(5, 5), chat(6, 9, { chatId: other })])).toEqual([
        'note DELIVERED c_2 #7',
        '1 fetch c_2 after 7, 128',
      ]);
      expect(s.wake('renew')).not.toContain('1 list');
    });

    it('lets a device that no session has confirmed wait, or it would start behind what is sent meanwhile', () => {
      const s = start();
      s.open();
      s.opened(1, 1, false);
      s.claimed();
      expect(s.chats([chat(5, 5)], 1, false)).toEqual([]);
      expect(s.wake('retry', 1)).toEqual(['1 list']);
      expect(s.chats([chat(5, 5)])).toEqual(['confirm d_1', '1 < WELCOME e1 c_1 5/5']);
    });

    it('starts a chat that RESUME did not name at the stored cursor', () => {
      const s = opened();
      s.chats([], 1, false);
      s.resume();
      expect(s.chats([chat(6, 9, { chatId: other })])).toEqual(['1 fetch c_2 after 6, 128']);
    });

    it('does not replay a chat from its beginning because a push names it', () => {
      const s = opened();
      expect(s.push(9)).toEqual([]);
      expect(s.chats([], 1, false)).toEqual(['1 < WELCOME e1']);
      s.resume();
      expect(s.push(9)).toEqual(['1 list']);
      expect(s.chats([chat(8, 9)])).toEqual(['1 fetch c_1 after 8, 128']);
    });
  });

  it('goes on without the registry: the renewal registers it and reads the heads again', () => {
    const s = start();
    s.open();
    s.opened(1);
    expect(s.claimed({ outcome: 'failed' }).slice(-1)).toEqual(['1 list']);
  });

  it('tries a failed step again after a while, and sends the device away when it stays so', () => {
    const s = start();
    s.open();
    for (let i = 0; i < 7; i++) {
      expect(s.notOpened(i % 2 === 0 ? 'failed' : 'unknown')).toEqual(['wake retry 1 in 0.25 s']);
      expect(s.wake('retry', 1)).toEqual(['1 open d_1']);
    }
    expect(s.notOpened('failed')).toEqual(['1 < ERROR unavailable', '1 close 4006']);
    const listing = start();
    listing.open();
    listing.opened(1);
    listing.claimed();
    expect(listing.notListed()).toEqual(['wake retry 1 in 0.25 s']);
    expect(listing.wake('retry', 1)).toEqual(['1 list']);
    expect(listing.chats([])).toEqual(['1 < WELCOME e1']);
  });

  it('counts the failures of each step by itself', () => {
    const s = start();
    s.open();
    for (let i = 0; i < 7; i++) {
      s.notOpened('failed');
      s.wake('retry', 1);
    }
    s.opened(1);
    s.claimed();
    expect(s.notListed()).toEqual(['wake retry 1 in 0.25 s']);
  });

  it('names no cursor beyond what the user may see', () => {
    const s = start();
    s.open();
    s.opened(1);
    s.claimed();
    expect(s.chats([chat(9, 9, { spans: [{ after: 0, upTo: 2 }] })])).toEqual(['1 < WELCOME e1 c_1 2/2']);
  });

  it('takes RESUME and nothing else, and that after WELCOME', () => {
    const s = start();
    s.open();
    expect(s.resume()).toEqual(['1 < ERROR bad_frame']);
    s.opened(1);
    s.claimed();
    s.chats([]);
    expect(s.send('k1')).toEqual(['1 < ERROR bad_frame']);
    expect(s.resume()).toEqual(['1 < SYNCED']);
    expect(s.resume()).toEqual(['1 < ERROR bad_frame']);
  });

  it('without RESUME ends with an ERROR, and as long again later with 4002', () => {
    const s = start().welcome();
    s.later(10);
    expect(s.wake('session', 1)).toEqual(['1 < ERROR bad_frame', 'wake session 1 in 10 s']);
    s.later(10);
    expect(s.wake('session', 1)).toEqual(['1 close 4002', 'release d_1 e1']);
  });

  it('gives the whole time for RESUME when WELCOME came late', () => {
    const s = start();
    s.open();
    s.later(9);
    s.opened(1);
    s.claimed();
    s.chats([]);
    s.later(1);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 10 s']);
    s.later(10);
    expect(s.wake('session', 1)[0]).toBe('1 < ERROR bad_frame');
  });

  it('is refused by a gateway that is full', () => {
    const s = start({ gatewaySessions: 1 });
    s.open(1, 1);
    expect(s.open(2, 2)).toEqual(['2 < ERROR overloaded', '2 close 4006']);
  });
});

describe('RESUME', () => {
  it('moves the stored cursor of a device that has more than its receipts told', () => {
    expect(
      start()
        .welcome([chat(3, 5)])
        .resume(5),
    ).toEqual(['note DELIVERED c_1 #5', '1 < SYNCED c_1 5']);
    expect(
      start()
        .welcome([chat(3, 9)])
        .resume(5),
    ).toEqual(['note DELIVERED c_1 #5', '1 fetch c_1 after 5, 128']);
  });

  it('with the stored cursor, or without one, writes nothing', () => {
    expect(
      start()
        .welcome([chat(5, 5)])
        .resume(5),
    ).toEqual(['1 < SYNCED c_1 5']);
    expect(
      start()
        .welcome([chat(5, 5)])
        .resume(),
    ).toEqual(['1 < SYNCED c_1 5']);
  });

  it('cuts a cursor beyond the head to the head: what comes next is not skipped', () => {
    const s = start().welcome([chat(3, 5)]);
    expect(s.resume(4_000_000)).toEqual(['note DELIVERED c_1 #5', '1 < SYNCED c_1 5']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
  });

  it('with an older cursor, or 0, replays from there, a page at a time, SYNCED behind the last', () => {
    const s = start({ fetchPage: 2 }).welcome([chat(3, 3)]);
    expect(s.resume(0)).toEqual(['1 fetch c_1 after 0, 2']);
    expect(s.fetched([1, 2], 3)).toEqual([
      '1 < MESSAGE c_1 #1 prev 0',
      '1 < MESSAGE c_1 #2 prev 1',
      '1 fetch c_1 after 2, 2',
    ]);
    expect(s.fetched([3], 3)).toEqual(['1 < MESSAGE c_1 #3 prev 2', '1 < SYNCED c_1 3']);
  });

  // 128 of the largest messages would be 11 MB, of which a window takes one.
  it('asks for no more than the window takes, and for the rest when it is open again', () => {
    const s = start({ inFlightBytes: 700 }).welcome([chat(3, 3)]);
    s.resume(0);
    expect(s.page()).toEqual({ limit: 128, bytes: 700 });
    // What says four characters costs 260. A page that ended at its size says nothing of what follows.
    expect(s.fetchedFull([1, 2], 3)).toEqual([
      '1 < MESSAGE c_1 #1 prev 0',
      '1 < MESSAGE c_1 #2 prev 1',
      '1 fetch c_1 after 2, 128',
    ]);
    expect(s.page()).toEqual({ limit: 128, bytes: 180 });
    expect(s.fetched([3], 3)).toEqual(['1 < MESSAGE c_1 #3 prev 2', '1 < SYNCED c_1 3']);
    const large = start({ fetchBytes: 500 }).welcome([chat(3, 3)]);
    large.resume(0);
    expect(large.page()).toEqual({ limit: 128, bytes: 500 });
  });

  it('ignores chats that are not the user’s', () => {
    const s = start().welcome([]);
    expect(s.say({ frame: 'RESUME', cursors: [[chatId('c_666'), 0]] })).toEqual(['1 < SYNCED']);
  });

  // Was in until #2, came back at #4: sees 1, 2, 5, 6.
  it('replays what the user may see and no more, and says where the sequence goes on', () => {
    const spans = [
      { after: 0, upTo: 2 },
      { after: 4, upTo: OPEN_END },
    ];
    const s = start().welcome([chat(1, 6, { spans })]);
    s.resume();
    expect(s.fetched([2, 3, 4, 5, 6], 6, spans)).toEqual([
      '1 < MESSAGE c_1 #2 prev 1',
      '1 < MESSAGE c_1 #5 prev 2',
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < SYNCED c_1 6',
    ]);
  });

  it('tells who has left the last he saw as the head', () => {
    const s = start().welcome([chat(0, 9, { spans: [{ after: 0, upTo: 2 }] })]);
    expect(s.resume(9)).toEqual(['note DELIVERED c_1 #2', '1 < SYNCED c_1 2']);
  });

  it('lets several chats take turns', () => {
    const c2 = chatId('c_2');
    const s = start({ fetchPage: 1 }).welcome([chat(3, 5), chat(0, 1, { chatId: c2 })]);
    expect(s.resume()).toEqual(['1 fetch c_1 after 3, 1']);
    expect(s.fetched([4], 5)).toEqual(['1 < MESSAGE c_1 #4 prev 3', '1 fetch c_2 after 0, 1']);
    expect(s.fetchedRows([row(1, { chatId: c2 })], 1)).toEqual([
      '1 < MESSAGE c_2 #1 prev 0',
      '1 fetch c_1 after 4, 1',
    ]);
    expect(s.fetched([5], 5)).toEqual(['1 < MESSAGE c_1 #5 prev 4', '1 < SYNCED c_1 5 c_2 1']);
  });

  it('reads again what the store failed to give', () => {
    const s = start().welcome([chat(3, 4)]);
    s.resume();
    // A chat that cannot be read is none of the heads, as if its shard had not been listed.
    expect(s.answer({ outcome: 'failed' })).toEqual(['1 < SYNCED']);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 3, 128']);
    expect(s.fetched([4], 4)).toEqual(['1 < MESSAGE c_1 #4 prev 3']);
  });

  it('takes a cursor between two memberships for the last message of the earlier one', () => {
    const spans = [
      { after: 0, upTo: 3 },
      { after: 6, upTo: OPEN_END },
    ];
    const s = start().welcome([chat(3, 7, { spans })]);
    // Not a receipt of what this user never saw.
    expect(s.resume(5)).toEqual(['1 fetch c_1 after 3, 128']);
    expect(s.fetched([7], 7, spans)).toEqual(['1 < MESSAGE c_1 #7 prev 3', '1 < SYNCED c_1 7']);
  });

  describe('when a shard falls silent after it was listed', () => {
    const c2 = chatId('c_2');

    it('waits for none of its chats with SYNCED, the live messages and the receipts of the others', () => {
      const s = start().welcome([chat(3, 5), chat(0, 1, { chatId: c2 })]);
      s.resume();
      expect(s.answer({ outcome: 'failed' })).toEqual(['1 fetch c_2 after 0, 128']);
      expect(s.fetchedRows([row(1, { chatId: c2 })], 1)).toEqual([
        '1 < MESSAGE c_2 #1 prev 0',
        '1 < SYNCED c_2 1',
      ]);
      expect(s.pushReceipt(readBy('u_2', 1, c2))).toEqual(['1 < RECEIPT u_2 READ #1', 'push 1 settled']);
      expect(s.push(2, { chatId: c2 })).toEqual(['1 < MESSAGE c_2 #2 prev 1']);
      // A push of the chat itself does not make it be read sooner.
      expect(s.push(6)).toEqual(['1 < PING 1']);
      s.later(0.25);
      expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 3, 128']);
      expect(s.fetched([4, 5, 6], 6)).toEqual([
        '1 < MESSAGE c_1 #4 prev 3',
        '1 < MESSAGE c_1 #5 prev 4',
        '1 < MESSAGE c_1 #6 prev 5',
      ]);
      expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
    });

    it('reads what has not failed first, and each other after a longer pause, up to a bound', () => {
      const s = start({ sessionRetryMax: 1 * SECOND }).welcome([chat(3, 5), chat(0, 0, { chatId: c2 })]);
      s.resume();
      const pauses: string[] = [];
      for (const pause of [0.25, 0.5, 1, 1]) {
        const failed = { kind: 'fetched', conn: connId(1), call: s.call(), chatId: C } as const;
        pauses.push(
          ...s.all({ ...failed, result: { outcome: 'failed' } }).filter((l) => l.startsWith('wake')),
        );
        s.later(pause - 0.01);
        expect(s.wake('retry', 1)).toEqual(['wake retry 1 in 0.01 s']);
        s.later(0.01);
        expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 3, 128']);
      }
      expect(pauses.map((l) => l.slice('wake retry 1 in '.length))).toEqual([
        '0.25 s',
        '0.5 s',
        '1 s',
        '1 s',
      ]);
      // What answers has forgotten its failures.
      s.fetched([4, 5], 5);
      s.push(7);
      s.all({ kind: 'fetched', conn: connId(1), call: s.call(), chatId: C, result: { outcome: 'failed' } });
      s.later(0.25);
      expect(s.wake('retry', 1)).toEqual(['1 fetch c_1 after 5, 128']);
    });
  });

  // A message that commits while the replay is read raises the head and comes in its turn.
  it('keeps live messages in order behind the replay', () => {
    const s = start().welcome([chat(3, 4)]);
    s.resume();
    expect(s.push(5)).toEqual(['1 < PING 1']);
    expect(s.fetched([4], 4)).toEqual(['1 < MESSAGE c_1 #4 prev 3', '1 fetch c_1 after 4, 128']);
    expect(s.fetched([5], 5)).toEqual(['1 < MESSAGE c_1 #5 prev 4', '1 < SYNCED c_1 5']);
  });

  it('lets a mass of reconnecting devices read the store a few at a time', () => {
    const s = start({ gatewayFetches: 1 });
    s.welcome([chat(0, 1)], 1, 1);
    s.welcome([chat(0, 1)], 2, 2);
    s.welcome([chat(0, 1)], 3, 3);
    expect(s.resume(undefined, 1)).toEqual(['1 fetch c_1 after 0, 128']);
    expect(s.resume(undefined, 2)).toEqual([]);
    expect(s.resume(undefined, 3)).toEqual([]);
    // The second is gone before its turn.
    s.step({ kind: 'closed', conn: connId(2) });
    expect(s.fetched([1], 1, EVER, 1)).toEqual([
      '1 < MESSAGE c_1 #1 prev 0',
      '1 < SYNCED c_1 1',
      '3 fetch c_1 after 0, 128',
    ]);
    // The first leaves while nothing of it is under way; the third leaves during its read.
    s.step({ kind: 'closed', conn: connId(3) });
    expect(s.gateway.reads).toBe(1);
    expect(s.fetched([1], 1, EVER, 3)).toEqual([]);
    expect(s.gateway.reads).toBe(0);
  });
});

describe('a live message', () => {
  it('that is the next goes straight to the device, and is settled by its receipt', () => {
    const s = start().live();
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
    // Cumulative: #7 stands for #6.
    expect(s.receipt(7)).toEqual(['push 1 settled', 'push 2 settled', 'note DELIVERED c_1 #7']);
    expect(s.push(7)).toEqual(['push 3 settled']);
  });

  it('behind a hole is fetched with what is missing', () => {
    const s = start().live();
    expect(s.push(8)).toEqual(['1 < PING 1', '1 fetch c_1 after 5, 128']);
    expect(s.fetched([6, 7, 8], 8)).toEqual([
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < MESSAGE c_1 #7 prev 6',
      '1 < MESSAGE c_1 #8 prev 7',
    ]);
    expect(s.push(6)).toEqual([]);
    expect(s.receipt(8)).toEqual(['push 2 settled', 'note DELIVERED c_1 #8']);
  });

  it('too long to travel is fetched', () => {
    const s = start().live();
    expect(s.pushLong(6)).toEqual(['1 < PING 1', '1 fetch c_1 after 5, 128']);
  });

  it('of a chat that is new to the session starts it', () => {
    const s = start().live();
    expect(s.push(1, { chatId: chatId('c_2') })).toEqual(['1 < MESSAGE c_2 #1 prev 0']);
    expect(s.push(5, { chatId: chatId('c_3') })).toEqual(['1 < PING 1', '1 fetch c_3 after 0, 128']);
    const spans = [{ after: 4, upTo: OPEN_END }];
    expect(s.fetchedRows([row(5, { chatId: chatId('c_3') })], 5, spans)).toEqual([
      '1 < MESSAGE c_3 #5 prev 0',
    ]);
  });

  it('pushed again waits with the first push', () => {
    const s = start().live();
    s.push(6);
    expect(s.push(6)).toEqual([]);
    expect(s.receipt(6)).toEqual(['push 1 settled', 'push 2 settled', 'note DELIVERED c_1 #6']);
  });

  it('is for the named device and epoch, or nobody', () => {
    const s = start().live();
    expect(s.push(6, {}, 2)).toEqual(['push 1 no-session']);
    expect(s.push(6, {}, 1, 2)).toEqual(['push 2 no-session']);
    expect(s.push(6, {}, 1, 0)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.step({ kind: 'closed', conn: connId(1) })).toEqual(['push 3 no-session', 'release d_1 e1']);
  });

  it('before RESUME is held, and comes with the replay', () => {
    const s = start().welcome();
    expect(s.push(6)).toEqual([]);
    expect(s.resume()).toEqual(['1 fetch c_1 after 5, 128', '1 < PING 1']);
    expect(s.fetched([6], 6)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 < SYNCED c_1 6']);
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual(['push 1 settled']);
  });

  it('during the opening, before the list, is not lost when the list is older', () => {
    const s = start();
    s.open();
    s.opened(1);
    s.claimed();
    expect(s.push(6)).toEqual([]);
    expect(s.chats([chat(5, 5)])).toEqual(['1 < WELCOME e1 c_1 5/6']);
    expect(s.resume()).toEqual(['1 fetch c_1 after 5, 128', '1 < PING 1']);
  });
});

describe('the in-flight window', () => {
  it('closes at its limit, and opens by what a receipt covers', () => {
    const s = start({ inFlightMessages: 2 }).live();
    s.push(6);
    s.push(7);
    expect(s.push(8)).toEqual(['1 < PING 1']);
    expect(s.push(9)).toEqual([]);
    expect(s.receipt(6)).toEqual(['push 1 settled', 'note DELIVERED c_1 #6', '1 fetch c_1 after 7, 1']);
    expect(s.fetched([8], 9)).toEqual(['1 < MESSAGE c_1 #8 prev 7']);
    expect(s.receipt(8)).toEqual(['push 2 settled', 'note DELIVERED c_1 #8', '1 fetch c_1 after 8, 2']);
    expect(s.fetched([9], 9)).toEqual(['1 < MESSAGE c_1 #9 prev 8']);
  });

  it('closes at its bytes as well', () => {
    const s = start({ inFlightBytes: 300 }).live();
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(7, { ciphertext: 'A'.repeat(100) })).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
    expect(s.push(8)).toEqual(['1 < PING 1']);
  });

  // The page was asked for when the window was open, and closes it half way.
  it('cuts a page that does not fit, and goes on from there', () => {
    const s = start({ inFlightBytes: 300 }).welcome([chat(0, 3)]);
    s.resume();
    expect(s.fetched([1, 2, 3], 3)).toEqual(['1 < MESSAGE c_1 #1 prev 0', '1 < MESSAGE c_1 #2 prev 1']);
    expect(s.receipt(2)).toEqual(['note DELIVERED c_1 #2', '1 fetch c_1 after 2, 128']);
    expect(s.fetched([3], 3)).toEqual(['1 < MESSAGE c_1 #3 prev 2', '1 < SYNCED c_1 3']);
  });
});

describe('a push that the device cannot take yet', () => {
  // A half-open connection takes everything and answers nothing: only an answer counts.
  it('is settled by the PONG of a PING that came after it, and by no other', () => {
    const s = start({ inFlightMessages: 1 }).live();
    s.push(6);
    expect(s.push(7)).toEqual(['1 < PING 1']);
    expect(s.push(8)).toEqual([]);
    expect(s.say({ frame: 'PONG', t: 99 })).toEqual([]);
    // #8 came after that PING was sent, so it waits for the next one.
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual(['push 2 settled', '1 < PING 2']);
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual([]);
    expect(s.say({ frame: 'PONG', t: 2 })).toEqual(['push 3 settled']);
  });

  it('is given back when the session ends first', () => {
    const s = start({ inFlightMessages: 1 }).live();
    s.push(6);
    s.push(7);
    s.push(8);
    expect(s.step({ kind: 'closed', conn: connId(1) })).toEqual([
      'push 3 no-session',
      'push 2 no-session',
      'push 1 no-session',
      'release d_1 e1',
    ]);
  });
});

describe('own messages', () => {
  it('that an ACK told of are not pushed to their sender, and the sequence goes on behind them', () => {
    const s = start().live();
    expect(s.send('k6')).toEqual(['submit k6 of d_1']);
    expect(s.ack('k6', 6)).toEqual(['1 < ACK k6 #6']);
    expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
  });

  // In a chat where both write, the ACK of the answer overtakes the push of what it answers.
  it('wait for what comes before them', () => {
    const s = start().live();
    expect(s.ack('k7', 7)).toEqual(['1 < ACK k7 #7']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(8)).toEqual(['1 < MESSAGE c_1 #8 prev 7']);
  });

  it('are left out of a page that was under way', () => {
    const s = start().live();
    s.push(7);
    s.ack('k8', 8);
    expect(s.fetchedRows([row(6), row(7), row(8, mine(1))], 8)).toEqual([
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < MESSAGE c_1 #7 prev 6',
    ]);
    expect(s.push(9)).toEqual(['1 < MESSAGE c_1 #9 prev 8']);
  });

  it('are given back with their clientMsgId when the ACK was lost with an earlier connection', () => {
    const s = start().welcome([chat(5, 7)]);
    s.resume();
    expect(s.fetchedRows([row(6, mine(1)), row(7, mine(2))], 7)).toEqual([
      '1 < MESSAGE c_1 #6 prev 5 own k6',
      '1 < MESSAGE c_1 #7 prev 6',
      '1 < SYNCED c_1 7',
    ]);
  });

  // No receipt will ever name it, so a push of it would wait for one for ever.
  it('pushed all the same are settled by proof', () => {
    const s = start().live();
    s.ack('k6', 6);
    expect(s.push(6, mine(1))).toEqual(['1 < PING 1']);
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual(['push 1 settled']);
  });

  it('go to the other devices of their sender', () => {
    const s = start().live(1, 1);
    s.live(2, 2);
    expect(s.push(6, mine(1), 2)).toEqual(['2 < MESSAGE c_1 #6 prev 5']);
  });
});

describe('a send', () => {
  const refused = (code: ErrorCode, key: string | undefined): GatewayEvent => ({
    kind: 'reply',
    reply: {
      kind: 'refused',
      conn: connId(1),
      code,
      message: 'no',
      retryAfterMs: undefined,
      clientMsgId: key === undefined ? undefined : clientMsgId(key),
      chatId: C,
    },
  });

  it('that is refused tells the device which', () => {
    const s = start().live();
    s.send('k1');
    expect(s.step(refused('not_a_member', 'k1'))).toEqual(['1 < ERROR not_a_member k1']);
    // Its device is gone: nobody is told.
    s.step({ kind: 'closed', conn: connId(1) });
    expect(s.step(refused('unavailable', 'k1'))).toEqual([]);
    expect(s.ack('k1', 6)).toEqual([]);
  });

  it('is refused while too many wait, unless it repeats one of them; unanswered ones are forgotten in time', () => {
    const s = start({ sessionRequests: 1 }).live();
    s.send('k1');
    expect(s.send('k2')).toEqual(['1 < ERROR overloaded k2']);
    expect(s.send('k1')).toEqual(['submit k1 of d_1']);
    s.later(10);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    expect(s.send('k2')).toEqual(['submit k2 of d_1']);
    s.ack('k2', 6);
    expect(s.send('k3')).toEqual(['submit k3 of d_1']);
  });

  it('that is repeated does not keep those sent after it from being forgotten', () => {
    const s = start({ sessionRequests: 2 }).live();
    s.send('k1');
    s.send('k2');
    s.later(5);
    s.send('k1');
    s.later(5);
    s.wake('session', 1);
    expect(s.send('k3')).toEqual(['submit k3 of d_1']);
    expect(s.send('k4')).toEqual(['1 < ERROR overloaded k4']);
  });
});

describe('a receipt of the device', () => {
  it('READ delivers too, and names the last message most often', () => {
    const s = start().live();
    s.push(6);
    expect(s.receipt(6, 'READ')).toEqual(['push 1 settled', 'note DELIVERED c_1 #6', 'note READ c_1 #6']);
    expect(s.receipt(6, 'READ')).toEqual(['note READ c_1 #6']);
    // Of an older message only the store knows the seq.
    expect(s.receipt(2, 'READ')).toEqual(['note READ c_1 m_2']);
  });

  it('DELIVERED of what was not sent on this connection moves nothing', () => {
    const s = start().live();
    expect(s.receipt(9)).toEqual([]);
    expect(s.receipt(3)).toEqual([]);
  });

  it('of a chat that is not the user’s is refused', () => {
    const s = start().live();
    expect(
      s.say({ frame: 'RECEIPT', chatId: chatId('c_9'), serverMsgId: serverMsgId('m_1'), type: 'READ' }),
    ).toEqual(['1 < ERROR no_such_chat']);
  });
});

describe('receipts of others', () => {
  it('are told after SYNCED, and after the message they speak of', () => {
    const s = start().welcome([chat(3, 5, { receipts: [readBy('u_2', 2)] })]);
    s.resume();
    expect(s.pushReceipt(readBy('u_3', 6))).toEqual(['push 1 settled']);
    expect(s.fetched([4, 5], 5).slice(2)).toEqual(['1 < SYNCED c_1 5', '1 < RECEIPT u_2 READ #2']);
    expect(s.pushReceipt(readBy('u_2', 5))).toEqual(['1 < RECEIPT u_2 READ #5', 'push 2 settled']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 < RECEIPT u_3 READ #6']);
  });

  it('outside the time of a member are never told', () => {
    const spans = [{ after: 3, upTo: 5 }];
    const receipts = [readBy('u_2', 2), readBy('u_3', 4), readBy('u_4', 9)];
    const s = start().welcome([chat(5, 9, { spans, receipts })]);
    expect(s.resume()).toEqual(['1 < SYNCED c_1 5', '1 < RECEIPT u_3 READ #4']);
    expect(s.pushReceipt(readBy('u_2', 7))).toEqual(['push 1 settled']);
    expect(s.pushReceipt(readBy('u_2', 3))).toEqual(['push 2 settled']);
  });

  it('of a hundred groups come a page at a time, so that they do not fill the socket by themselves', () => {
    const receipts = [readBy('u_2', 1), readBy('u_3', 2), readBy('u_4', 3)];
    const c2 = chatId('c_2');
    const chats = [chat(5, 5, { receipts }), chat(1, 1, { chatId: c2, receipts: [readBy('u_5', 1, c2)] })];
    const s = start({ receiptPage: 2 }).welcome(chats);
    expect(s.resume()).toEqual([
      '1 < SYNCED c_1 5 c_2 1',
      '1 < RECEIPT u_2 READ #1',
      '1 < RECEIPT u_3 READ #2',
    ]);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.wake('receipts', 1)).toEqual([
      '1 < RECEIPT u_4 READ #3',
      '1 < RECEIPT u_5 READ #1',
      'wake receipts 1 in 0.25 s',
    ]);
    expect(s.wake('receipts', 1)).toEqual([]);
  });

  it('come in smaller pages to a small socket: who was closed for them would come back to the same', () => {
    const receipts = [readBy('u_2', 1), readBy('u_3', 2)];
    const s = start({ socketBufferBytes: 8 * 256 }).welcome([chat(5, 5, { receipts })]);
    expect(s.resume()).toEqual(['1 < SYNCED c_1 5', '1 < RECEIPT u_2 READ #1']);
  });

  it('wait while the socket is full, the newest for all before it', () => {
    const s = start({ socketBufferBytes: 1_000 }).live();
    s.step({ kind: 'buffered', conn: connId(1), bytes: 501 });
    expect(s.pushReceipt(readBy('u_2', 4))).toEqual(['push 1 settled']);
    expect(s.pushReceipt(readBy('u_2', 5))).toEqual(['push 2 settled']);
    expect(s.step({ kind: 'buffered', conn: connId(1), bytes: 400 })).toEqual(['1 < RECEIPT u_2 READ #5']);
  });

  it('of one user that wait become the latest', () => {
    const s = start().live();
    s.pushReceipt(readBy('u_2', 6));
    s.pushReceipt(readBy('u_2', 7));
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6', '1 < RECEIPT u_2 READ #7']);
  });
});

describe('typing', () => {
  it('is shown to who has the chat on screen', () => {
    const s = start().live();
    expect(s.pushTyping()).toEqual(['push 1 settled']);
    s.say({ frame: 'OPEN', chatId: C });
    expect(s.pushTyping()).toEqual(['1 < TYPING u_2', 'push 2 settled']);
    expect(s.say({ frame: 'TYPING', chatId: C })).toEqual(['typing']);
  });
});

describe('SYNC', () => {
  const sync = (afterSeq: number, limit = 2, chat = C): ClientFrame => ({
    frame: 'SYNC',
    chatId: chat,
    afterSeq,
    limit,
  });

  it('brings history beside the live stream', () => {
    const s = start().live();
    expect(s.say(sync(1))).toEqual(['1 fetch c_1 after 1, 2']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.fetched([2, 3], 6)).toEqual([
      '1 < MESSAGE c_1 #2 prev 1',
      '1 < MESSAGE c_1 #3 prev 2',
      '1 < SYNC_END c_1 6',
    ]);
  });

  it('brings less than was asked for when that is as large as a page of the store, or as a window', () => {
    const s = start({ fetchBytes: 800 }).live();
    s.say(sync(1, 5));
    expect(s.page()).toEqual({ limit: 5, bytes: 800 });
    expect(s.fetchedFull([2, 3], 5)).toEqual([
      '1 < MESSAGE c_1 #2 prev 1',
      '1 < MESSAGE c_1 #3 prev 2',
      '1 < SYNC_END c_1 5',
    ]);
    const narrow = start({ inFlightBytes: 600 }).live();
    // What is in flight takes no room from an answer, which is asked for when the device has it.
    narrow.push(6);
    narrow.say(sync(1, 5));
    expect(narrow.page()).toEqual({ limit: 5, bytes: 600 });
  });

  // The repair of a gap is received like a push: it opens the window up to there.
  it('that repaired a gap may be named by the receipt', () => {
    const s = start().live();
    s.say(sync(5));
    s.fetched([6, 7], 7);
    expect(s.receipt(7)).toEqual(['note DELIVERED c_1 #7']);
    expect(s.push(8)).toEqual(['1 < MESSAGE c_1 #8 prev 7']);
  });

  it('of a stranger, and of a chat that does not exist, get the same answer', () => {
    const s = start().live();
    s.say(sync(0, 2, chatId('c_9')));
    expect(s.fetched([], 0, [])).toEqual(['1 < ERROR no_such_chat']);
  });

  it('shows nothing outside the time of a member, and looks past a page of that', () => {
    const spans = [{ after: 4, upTo: OPEN_END }];
    const s = start().welcome([chat(5, 6, { spans })]);
    s.resume(6);
    s.say(sync(0));
    expect(s.fetched([1, 2], 6, spans)).toEqual(['1 fetch c_1 after 2, 2']);
    expect(s.fetched([3, 4], 6, spans)).toEqual(['1 fetch c_1 after 4, 2']);
    expect(s.fetched([5, 6], 6, spans)).toEqual([
      '1 < MESSAGE c_1 #5 prev 0',
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < SYNC_END c_1 6',
    ]);
  });

  it('is read again when the store failed, and refused when too many wait', () => {
    const s = start({ sessionSyncs: 2 }).live();
    s.say(sync(1));
    expect(s.say(sync(2))).toEqual([]);
    expect(s.say(sync(3))).toEqual(['1 < ERROR overloaded']);
    // The one that failed rests by itself, and still counts as waiting.
    expect(s.answer({ outcome: 'failed' })).toEqual(['1 fetch c_1 after 2, 2']);
    expect(s.say(sync(3))).toEqual(['1 < ERROR overloaded']);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual([]);
    expect(s.fetched([3], 5)).toEqual([
      '1 < MESSAGE c_1 #3 prev 2',
      '1 < SYNC_END c_1 5',
      '1 fetch c_1 after 1, 2',
    ]);
  });

  it('leaves a chat that is behind its turn when its own shard does not answer', () => {
    const s = start({ sessionSyncs: 2, inFlightMessages: 8, fetchPage: 2 }).live();
    s.say(sync(1));
    s.pushLong(6);
    expect(s.answer({ outcome: 'failed' })).toEqual(['1 fetch c_1 after 5, 2']);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual([]);
    expect(s.fetched([6], 6)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 fetch c_1 after 1, 2']);
  });

  it('is held to the page that the limits allow', () => {
    const s = start({ syncPage: 7 }).live();
    expect(s.say(sync(1, 99))).toEqual(['1 fetch c_1 after 1, 7']);
  });
});

describe('a newer connection of the device', () => {
  it('at this gateway takes over at once', () => {
    const s = start().live(1, 1, 1);
    s.push(6);
    s.open(2);
    expect(s.opened(2, 2)).toEqual([
      '1 < GOAWAY replaced',
      '1 close 4001',
      'push 1 no-session',
      'release d_1 e1',
      '2 claim e2',
    ]);
  });

  it('whose older sibling opens late sends that one away', () => {
    const s = start();
    s.open(1);
    s.open(2);
    s.opened(8, 2);
    expect(s.opened(7, 1)).toEqual(['1 < GOAWAY replaced', '1 close 4001']);
  });

  it('leaves the other devices of the user alone', () => {
    const s = start().live(1, 1, 1);
    s.open(2, 2);
    expect(s.opened(2, 2)).toEqual(['2 claim e2']);
  });

  it('evicts the one at another gateway', () => {
    const s = start();
    s.open();
    s.opened(2);
    const previous = { ...me(), gatewayId: nodeId('gw-2'), epoch: 1 };
    expect(s.claimed({ outcome: 'held', previous })).toEqual([
      'evict d_1 below e2 at gw-2',
      'wake renew in 15 s',
      '1 list',
    ]);
  });

  it('evicts nobody when the one it replaced was here', () => {
    const s = start();
    s.open();
    s.opened(2);
    const previous = { ...me(), gatewayId: nodeId('gw-1'), epoch: 1 };
    expect(s.claimed({ outcome: 'held', previous })).toEqual(['wake renew in 15 s', '1 list']);
  });

  it('at another gateway evicts this one, and a late eviction by an older one does nothing', () => {
    const s = start().live(1, 1, 5);
    expect(s.step({ kind: 'evict', ...me(), epoch: 5 })).toEqual([]);
    expect(s.step({ kind: 'evict', ...me(2), epoch: 6 })).toEqual([]);
    expect(s.step({ kind: 'evict', ...me(), epoch: 6 })).toEqual([
      '1 < GOAWAY replaced',
      '1 close 4001',
      'release d_1 e5',
    ]);
  });

  it('fences this one when it claims, or renews, its lease', () => {
    const s = start();
    s.open();
    s.opened(1);
    const gone = ['1 < GOAWAY replaced', '1 close 4001', 'release d_1 e1'];
    expect(s.claimed({ outcome: 'fenced', epoch: 2 })).toEqual(gone);
    expect(start().live().renewed('fenced')).toEqual(gone);
  });
});

describe('the lease', () => {
  it('is renewed for all sessions, in batches, as long as there are any', () => {
    const s = start({ renewBatch: 2 }).live(1, 1).live(2, 2).live(3, 3);
    s.open(4, 4);
    expect(s.wake('renew')).toEqual(['renew 1,2', 'renew 3', 'wake renew in 15 s']);
    for (const conn of [1, 2, 3, 4]) s.step({ kind: 'closed', conn: connId(conn) });
    expect(s.wake('renew')).toEqual([]);
  });

  // Between the loss of the registry and this renewal, workers did not find the device.
  it('that was lost has the heads read again, and what was missed is fetched', () => {
    const s = start().live();
    expect(s.renewed('renewed')).toEqual([]);
    expect(s.renewed('recreated')).toEqual(['1 list']);
    expect(s.chats([chat(5, 7)])).toEqual(['1 fetch c_1 after 5, 128']);
    expect(s.fetched([6, 7], 7)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 < MESSAGE c_1 #7 prev 6']);
  });

  // The renewal may have been carried out: then it cleared the mark of a push that was given up, and told nobody.
  it('whose renewal was not answered has the heads read with the next answer, and once', () => {
    const s = start().live();
    expect(s.step({ kind: 'renewed', conns: [connId(1)], outcomes: [undefined] })).toEqual([]);
    expect(s.step({ kind: 'renewed', conns: [connId(1)], outcomes: undefined })).toEqual([]);
    expect(s.renewed('renewed')).toEqual(['1 list']);
    s.chats([chat(5, 5)]);
    expect(s.renewed('renewed')).toEqual([]);
  });

  it('has a failed reading of the heads repeated', () => {
    const s = start().live();
    s.renewed('recreated');
    expect(s.notListed()).toEqual(['wake retry 1 in 0.25 s']);
    // Whoever else asks for it waits with it.
    expect(s.renewed('recreated')).toEqual([]);
    s.later(0.25);
    expect(s.wake('retry', 1)).toEqual(['1 list']);
    expect(s.notListed()).toEqual(['wake retry 1 in 0.5 s']);
  });

  it('finds chats that began meanwhile', () => {
    const s = start().live();
    s.renewed('recreated');
    const c2 = chatId('c_2');
    expect(s.chats([chat(5, 5), chat(0, 1, { chatId: c2 }), chat(0, 0, { chatId: chatId('c_3') })])).toEqual([
      '1 fetch c_2 after 0, 128',
    ]);
  });

  it('has the heads read once more when every look-up that may have missed it is over', () => {
    const s = start().live();
    for (let i = 0; i < 3; i++) expect(s.wake('renew')).toEqual(['renew 1', 'wake renew in 15 s']);
    expect(s.wake('renew')).toEqual(['renew 1', 'wake renew in 15 s', '1 list']);
    expect(s.wake('renew')).toEqual(['renew 1', 'wake renew in 15 s']);
  });

  it('has the heads read now and then without any reason: the queue may have lost an event for good', () => {
    const s = start({ headsReread: 4 * 60 * SECOND }).live();
    const readAt: number[] = [];
    for (let renewal = 1; renewal <= 100; renewal++) {
      if (!s.wake('renew').includes('1 list')) continue;
      readAt.push(renewal);
      s.chats([chat(5, 5)]);
    }
    const gaps = readAt.slice(2).map((at, i) => at - (readAt[i + 1] as number));
    expect(readAt[0]).toBe(4);
    expect(gaps.length).toBeGreaterThanOrEqual(2);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(16);
      expect(gap).toBeLessThan(32);
    }
  });

  it('reads the heads of every session again when the registry failed over', () => {
    const s = start().live();
    expect(s.step({ kind: 'registry-changed' })).toEqual(['1 list']);
  });

  it('finds a DELIVERED that was lost between the gateway and the store', () => {
    const s = start().live();
    s.push(6);
    s.receipt(6);
    s.renewed('recreated');
    expect(s.chats([chat(5, 6)])).toEqual(['note DELIVERED c_1 #6']);
    s.renewed('recreated');
    expect(s.chats([chat(6, 6)])).toEqual([]);
  });

  it('spreads over one renewal what makes more sessions read their heads than can read at once', () => {
    const s = start({ gatewayFetches: 1 }).live(1, 1, 1).live(2, 2, 1);
    const pauses = s.all({ kind: 'registry-changed' });
    expect(pauses.map((l) => l.replace(/in .*/u, ''))).toEqual(['wake retry 1 ', 'wake retry 2 ']);
    expect(new Set(pauses.map((l) => l.slice('wake retry 1 '.length))).size).toBe(2);
    // Told anew meanwhile, it is not put off.
    expect(
      s.all({ kind: 'renewed', conns: [connId(1), connId(2)], outcomes: ['recreated', 'recreated'] }),
    ).toEqual([]);
    s.later(15);
    expect(s.wake('retry', 1)).toEqual(['1 list']);
    s.chats([chat(5, 5)]);
    expect(s.wake('retry', 2)).toEqual(['2 list']);
    s.chats([chat(5, 5)], 2);
    // And once more as long after that as a registry may take to become one again.
    for (let i = 0; i < 3; i++) expect(s.wake('renew').filter((l) => l.includes('list'))).toEqual([]);
    expect(s.wake('renew')).toContain('1 list');
  });

  it('of a registry that does not answer is renewed the next time', () => {
    const s = start().live();
    expect(s.step({ kind: 'renewed', conns: [connId(1)], outcomes: undefined })).toEqual([]);
  });
});

describe('a session ends', () => {
  it('after silence with 4004, and any frame is a sign of life', () => {
    const s = start().live();
    s.later(39);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    expect(s.say({ frame: 'PING', t: 7 })).toEqual(['1 < PONG 7']);
    s.later(39);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    s.later(1);
    expect(s.wake('session', 1)).toEqual(['1 close 4004', 'release d_1 e1']);
  });

  it('when its token does', () => {
    const s = start().live();
    s.later(4_900);
    expect(s.wake('session', 1)).toEqual(['1 < GOAWAY auth_expired', '1 close 4005', 'release d_1 e1']);
  });

  it('after many bad frames with 4008, and not after a few', () => {
    const s = start({ badFrames: 3 }).live();
    const bad = { kind: 'bad-frame', conn: connId(1), code: 'too_large', message: 'ciphertext: …' } as const;
    expect(s.step(bad)).toEqual(['1 < ERROR too_large']);
    expect(s.step({ ...bad, code: 'bad_frame' })).toEqual(['1 < ERROR bad_frame']);
    expect(s.step(bad)).toEqual(['1 < ERROR too_large', '1 close 4008', 'release d_1 e1']);
    expect(s.step(bad)).toEqual([]);
  });

  it('when the device does not read; before that nothing more is pushed to it', () => {
    const s = start({ socketBufferBytes: 1_000 }).live();
    const buffered = (bytes: number) => s.step({ kind: 'buffered', conn: connId(1), bytes });
    expect(buffered(500)).toEqual([]);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(buffered(501)).toEqual([]);
    expect(s.push(7)).toEqual(['1 < PING 1']);
    expect(buffered(400)).toEqual(['1 fetch c_1 after 6, 128']);
    s.fetched([7], 7);
    expect(buffered(1_000)).toEqual([]);
    expect(buffered(1_001)).toEqual([
      '1 < GOAWAY slow_consumer',
      '1 close 4003',
      'push 2 no-session',
      'push 1 no-session',
      'release d_1 e1',
    ]);
  });

  it('and what was under way for it is nobody’s', () => {
    const s = start().welcome([chat(3, 5)]);
    s.resume();
    s.step({ kind: 'closed', conn: connId(1) });
    expect(s.fetched([4, 5], 5)).toEqual([]);
    expect(s.wake('session', 1)).toEqual([]);
    expect(s.wake('retry', 1)).toEqual([]);
    expect(s.say({ frame: 'PING', t: 1 })).toEqual([]);
    expect([s.gateway.reads, s.gateway.sessions.size, s.gateway.byUser.size]).toEqual([0, 0, 0]);
  });
});

describe('a session by long polling', () => {
  const polled = { kind: 'polled', conn: connId(1) } as const;

  it('may be silent for 60 s, counted from its last poll or frame, and not longer', () => {
    const s = start().live();
    s.all(polled);
    s.later(59);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    s.all(polled);
    s.later(59);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    s.later(1);
    expect(s.wake('session', 1)).toEqual(['1 close 4004', 'release d_1 e1']);
    expect(s.all(polled)).toEqual([]);
  });
});

describe('a token that runs out', () => {
  it('ends the session at that moment, not at the next heartbeat', () => {
    const s = start().live();
    s.later(5_000 - 100 - 9);
    s.say({ frame: 'PING', t: 1 });
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 9 s']);
    s.later(9);
    expect(s.wake('session', 1)).toEqual(['1 < GOAWAY auth_expired', '1 close 4005', 'release d_1 e1']);
  });
});

describe('a gateway that drains', () => {
  const drain = { kind: 'drain' } as const;

  it('asks everybody to go, takes nobody, serves who is there, and closes what is left', () => {
    const s = start().live(1, 1).live(2, 2);
    expect(s.all(drain)).toEqual(['1 < GOAWAY drain', '2 < GOAWAY drain', 'wake drain-end in 25 s']);
    expect(s.all(drain)).toEqual([]);
    expect(s.open(3, 3)).toEqual(['3 < GOAWAY drain', '3 close 1001']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.receipt(6)).toEqual(['push 1 settled', 'note DELIVERED c_1 #6']);
    expect(s.step({ kind: 'closed', conn: connId(1) })).toEqual(['release d_1 e1']);
    expect(s.wake('drain-end')).toEqual(['2 close 1001', 'release d_2 e1', 'drained']);
  });

  it('is done at once without sessions', () => {
    expect(start().step(drain)).toEqual(['drained']);
  });

  it('spreads the reconnects over the whole range', () => {
    const s = start();
    for (let n = 1; n <= 100; n++) s.live(n, n);
    const delays = stepGateway(s.gateway, drain, micros(0)).flatMap((effect) =>
      effect.kind === 'frame' && effect.frame.frame === 'GOAWAY' ? [effect.frame.reconnectAfterMs] : [],
    );
    expect(delays).toHaveLength(100);
    const tenths = new Set(delays.map((ms) => Math.floor(ms / 1_000)));
    expect(tenths).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
  });
});
