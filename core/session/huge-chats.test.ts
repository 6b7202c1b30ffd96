import { describe, expect, it } from 'vitest';
import { chatId, connId, deviceId, serverMsgId, userId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { DeliveryItem, ReceiptCount } from '../contract/records.ts';
import { micros } from '../contract/time.ts';
import type { ClientFrame } from '../wire/frames.ts';
import type { GatewayEvent } from './gateway-event.ts';
import { C, chat, EVER, GatewayUnderTest, row } from './testing/gateway-under-test.ts';

const message = (seq: number) => row(seq, { from: userId('u_9'), fromDevice: deviceId('d_9') });
const count = (seq: number, deliveredCount: number, readCount = 0): ReceiptCount => {
  const about = { chatId: C, seq, serverMsgId: serverMsgId(`m_${seq}`), from: userId('u_1') };
  return { ...about, deliveredCount, readCount, at: micros(1) };
};

/** Beside the point: what is done for presence, and timers other than that of looks. */
const BESIDE = /^(?:members|watch|unwatch|read-presence|wake (?!heads))/u;

/** A gateway with sessions of one chat, each of a user of its own. */
function start(change: Partial<Limits> = {}) {
  const gateway = new GatewayUnderTest(change);
  const step = (event: GatewayEvent): string[] => gateway.all(event).filter((l) => !BESIDE.test(l));
  const api = {
    gateway: gateway.gateway,
    step,
    later: (seconds: number) => gateway.later(seconds),
    /** Up to the list of chats, which is asked for and not there yet. */
    listing: (conn = 1) => gateway.listing(conn, conn, 1, conn),
    /** Live, in a chat of `size` members and five messages, all of which the device has. */
    live: (size: number, conn = 1) => {
      api.listing(conn);
      const lines = api.listed(size, 5, conn);
      api.say({ frame: 'RESUME', cursors: [] }, conn);
      return lines;
    },
    listed: (size: number, head: number, conn = 1) => {
      const chats = [chat(5, head, { size })];
      return step({ kind: 'chats', conn: connId(conn), result: { outcome: 'ok', chats, complete: true } });
    },
    say: (frame: ClientFrame, conn = 1) => step({ kind: 'frame', conn: connId(conn), frame }),
    open: (conn = 1) => api.say({ frame: 'OPEN', chatId: C }, conn),
    heads: (head: number) => step({ kind: 'heads', result: { outcome: 'ok', heads: [[C, head]] } }),
    look: () => step({ kind: 'wake', timer: 'heads', conn: undefined }),
    fetched: (size: number, head: number, ...seqs: number[]) => {
      const messages = seqs.map(message);
      const result = { outcome: 'ok', messages, more: false, head, spans: EVER, size } as const;
      return step({ kind: 'fetched', conn: connId(1), call: gateway.call(), chatId: C, result });
    },
    push: (item: DeliveryItem) => step(gateway.pushOf(item)),
    counted: (...counts: ReceiptCount[]) =>
      step({ kind: 'counted', conn: connId(1), chatId: C, result: { outcome: 'ok', counts } }),
  };
  return api;
}

describe('a huge group', () => {
  it('is looked at when it is opened, and as long as it is on screen', () => {
    const s = start();
    expect(s.live(3_000)).toEqual(['wake heads in 2 s', '1 < WELCOME e1 c_1 5/5']);
    expect(s.open()).toEqual(['heads c_1', '1 count c_1 of u_1']);
    expect(s.heads(7)).toEqual(['1 fetch c_1 after 5, 128']);
    expect(s.fetched(3_000, 7, 6, 7)).toEqual(['1 < MESSAGE c_1 #6 prev 5', '1 < MESSAGE c_1 #7 prev 6']);
    s.look();
    s.later(2);
    expect(s.look()).toEqual(['heads c_1', 'wake heads in 2 s']);
    expect(s.heads(7)).toEqual([]);
  });

  it('is looked at now and then while nobody has it open, once for all sessions', () => {
    const s = start();
    s.live(3_000);
    s.live(3_000, 2);
    expect(s.look()).toEqual(['heads c_1', 'wake heads in 30 s']);
    expect(s.heads(6)).toEqual(['1 fetch c_1 after 5, 128', '2 fetch c_1 after 5, 128']);
    s.later(10);
    expect(s.look()).toEqual(['wake heads in 30 s']);
    s.later(20);
    expect(s.look()).toEqual(['heads c_1', 'wake heads in 30 s']);
    // A look that fails is followed by the next one.
    expect(s.step({ kind: 'heads', result: { outcome: 'failed' } })).toEqual([]);
    s.step({ kind: 'closed', conn: connId(1) });
    s.step({ kind: 'closed', conn: connId(2) });
    expect(s.look()).toEqual([]);
    expect(s.gateway.huge.sessions.size).toBe(0);
  });

  it('that is opened again and again does not put off the look at the others', () => {
    const s = start();
    expect(s.live(3_000)).toContain('wake heads in 2 s');
    s.later(1.5);
    // The look is due in half a second, and a wake-up would take its place.
    expect(s.open()).toEqual(['heads c_1', '1 count c_1 of u_1']);
    s.later(0.5);
    expect(s.open()).toEqual(['heads c_1']);
    s.counted();
    expect(s.look()).toEqual(['heads c_1', 'wake heads in 2 s']);
    s.say({ frame: 'CLOSE', chatId: C });
    s.later(2);
    expect(s.look()).toEqual(['wake heads in 30 s']);
    // One that is due later than that is brought forward, once.
    expect(s.open()).toEqual(['heads c_1', 'wake heads in 2 s', '1 count c_1 of u_1']);
    // A clock that was set forward shows a time long past: whether that wake-up comes is not known.
    s.later(60);
    expect(s.open()).toContain('wake heads in 2 s');
  });

  it('that a push named and the list did not reach is forgotten with the rest of it', () => {
    const s = start();
    s.listing();
    s.push({ kind: 'message', message: message(6), huge: true });
    expect(s.gateway.huge.sessions.size).toBe(1);
    s.step({ kind: 'chats', conn: connId(1), result: { outcome: 'ok', chats: [], complete: false } });
    expect(s.gateway.huge.sessions.size).toBe(0);
  });

  it('that has grown to be one is known from a push, or from a read', () => {
    const pushed = start();
    expect(pushed.live(9)).toEqual(['1 < WELCOME e1 c_1 5/5']);
    expect(pushed.open()).toEqual([]);
    expect(pushed.push({ kind: 'message', message: message(6), huge: true })).toEqual([
      'wake heads in 2 s',
      '1 < MESSAGE c_1 #6 prev 5',
    ]);
    const read = start();
    read.live(9);
    read.push({ kind: 'message', message: { ...message(6), ciphertext: undefined } });
    expect(read.fetched(2_001, 6, 6)).toEqual(['wake heads in 2 s', '1 < MESSAGE c_1 #6 prev 5']);
  });
});

describe('counts in a large chat', () => {
  it('are told to the sender when the message has been sent, and not before SYNCED', () => {
    const s = start();
    s.live(40);
    expect(s.push({ kind: 'counts', count: count(5, 3) })).toEqual([
      '1 < RECEIPT 3/0 DELIVERED #5',
      'push 1 settled',
    ]);
    expect(s.push({ kind: 'counts', count: count(6, 1) })).toEqual(['push 2 settled']);
    // The later count of the same message takes the place of the earlier one.
    expect(s.push({ kind: 'counts', count: count(6, 4, 2) })).toEqual(['push 3 settled']);
    // One that was overtaken on its way says less.
    expect(s.push({ kind: 'counts', count: count(6, 3, 1) })).toEqual(['push 4 settled']);
    expect(s.push({ kind: 'message', message: message(6) })).toEqual([
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < RECEIPT 4/2 READ #6',
    ]);
  });

  it('take the place of others however many wait; only what adds to them is refused', () => {
    const s = start({ chatsPerDevice: 1 });
    s.live(40);
    expect(s.push({ kind: 'counts', count: count(6, 1) })).toEqual(['push 1 settled']);
    expect(s.push({ kind: 'counts', count: count(7, 1) })).toEqual(['push 2 no-session']);
    expect(s.push({ kind: 'counts', count: count(6, 3) })).toEqual(['push 3 settled']);
    expect(s.push({ kind: 'counts', count: count(6, 2) })).toEqual(['push 4 settled']);
    expect(s.push({ kind: 'message', message: message(6) })).toEqual([
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < RECEIPT 3/0 DELIVERED #6',
    ]);
  });

  it('are asked for when the chat comes on screen, until they are known', () => {
    const s = start();
    s.live(40);
    expect(s.open()).toEqual(['1 count c_1 of u_1']);
    s.step({ kind: 'counted', conn: connId(1), chatId: C, result: { outcome: 'failed' } });
    expect(s.step({ kind: 'wake', timer: 'presence', conn: undefined })).toContain('1 count c_1 of u_1');
    expect(s.counted(count(3, 0), count(4, 2, 1))).toEqual(['1 < RECEIPT 2/1 READ #4']);
    expect(s.step({ kind: 'wake', timer: 'presence', conn: undefined })).not.toContain('1 count c_1 of u_1');
    // Opened once more: the user wants to know.
    expect(s.open()).toEqual(['1 count c_1 of u_1']);
  });

  it('are asked for one at a time, and once more when something may have come meanwhile', () => {
    const s = start({ openChats: 1 });
    s.live(40);
    const wake = (): string[] => s.step({ kind: 'wake', timer: 'presence', conn: undefined });
    expect(s.open()).toEqual(['1 count c_1 of u_1']);
    s.say({ frame: 'CLOSE', chatId: C });
    expect(s.open()).toEqual([]);
    expect(wake()).not.toContain('1 count c_1 of u_1');
    s.counted();
    expect(wake()).toContain('1 count c_1 of u_1');
    s.counted();
    expect(wake()).not.toContain('1 count c_1 of u_1');
  });

  it('are asked for in a chat that began after WELCOME, once its members are known', () => {
    const s = start();
    s.live(9);
    const other = chatId('c_2');
    s.push({ kind: 'message', message: { ...message(1), chatId: other } });
    expect(s.say({ frame: 'OPEN', chatId: other })).toEqual([]);
    const users = Array.from({ length: 40 }, (_, i) => userId(`u_${i + 1}`));
    const told = { kind: 'members', conn: connId(1), chatId: other, users } as const;
    expect(s.step({ kind: 'reply', reply: told })).toEqual(['1 count c_2 of u_1']);
    // It is known from then on.
    expect(s.step({ kind: 'reply', reply: told })).toEqual([]);
  });

  it('are asked for again when pushes may have passed the session by', () => {
    const s = start();
    s.live(40);
    s.open();
    s.counted();
    s.step({ kind: 'renewed', conns: [connId(1)], outcomes: ['recreated'] });
    expect(s.listed(40, 5)).toEqual(['1 count c_1 of u_1']);
  });

  it('are not asked for in small chats', () => {
    const s = start();
    s.live(32);
    expect(s.open()).toEqual([]);
  });
});
