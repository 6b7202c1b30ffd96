import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, mediaId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { MILLISECOND } from '../contract/time.ts';
import { start } from './testing/device-under-test.ts';

describe('the outbox', () => {
  it('keeps a send before it goes out, and drops it when the application was told', () => {
    const s = start().live();
    expect(s.send('k1')).toEqual(['keep k1', '1 > SEND k1']);
    expect(s.ack('k1', 6)).toEqual(['sent k1 #6', 'drop k1', 'show c_1 #6 of u_1']);
    expect(s.ack('k1', 6)).toEqual([]);
  });

  // The server's codec refused it each time, or closed the connection that it was too large for.
  it.each([
    ['too_large', { mediaIds: Array.from({ length: 17 }, (_, i) => mediaId(`x_${i}`)) }],
    ['too_large', { ciphertext: 'AAAA'.repeat(21_846) }],
    ['bad_frame', { ciphertext: 'AAA', chatId: chatId('c_99') }],
    ['bad_frame', { chatId: chatId('team') }],
  ])('never begins with a send that no server takes: %s', (code, change) => {
    const s = start().live();
    const send = { kind: 'send', clientMsgId: clientMsgId('k1'), chatId: chatId('c_1') } as const;
    expect(s.step({ ...send, ciphertext: '', mediaIds: [], ...change })).toEqual([`failed k1 ${code}`]);
    expect(s.disk().outbox).toEqual([]);
  });

  // A copy of a refused send became a message, since its sender was added again.
  it('asks for a message whose ACK comes when the send is gone', () => {
    const s = start().live();
    s.send('k1');
    s.error('not_a_member', 'k1');
    expect(s.ack('k1', 6)).toEqual([]);
    s.later(1_000);
    expect(s.wake('gap')).toContain('1 > SYNC c_1 after 5');
  });

  it('sends in order, from its disk, as soon as RESUME is said', () => {
    const s = start();
    s.send('k1');
    s.send('k2');
    expect(s.send('k1')).toEqual([]);
    s.start();
    expect(s.welcome('c_1 5')).toEqual([
      'cursor c_1 5',
      '1 > RESUME',
      'resuming',
      '1 > SEND k1',
      '1 > SEND k2',
    ]);
    const restarted = start({}, s.disk());
    restarted.start();
    expect(restarted.welcome().slice(-2)).toEqual(['1 > SEND k1', '1 > SEND k2']);
  });

  it('has a window, and a limit', () => {
    const s = start({ deviceSendWindow: 2, deviceOutbox: 3 }).live();
    expect([s.send('k1'), s.send('k2'), s.send('k3'), s.send('k4')]).toEqual([
      ['keep k1', '1 > SEND k1'],
      ['keep k2', '1 > SEND k2'],
      ['keep k3'],
      ['failed k4 overloaded'],
    ]);
    expect(s.ack('k1', 6)).toEqual(['sent k1 #6', 'drop k1', 'show c_1 #6 of u_1', '1 > SEND k3']);
  });

  it('sends again what is not answered, under the same clientMsgId, later each time', () => {
    const s = start().live();
    s.send('k1');
    const sent: number[] = [];
    for (let second = 1; second <= 100; second++) {
      s.later(1_000);
      if (s.wake('send').includes('1 > SEND k1')) sent.push(second);
    }
    // After 5, 10, 20 and then 30 seconds each.
    expect(sent).toEqual([5, 15, 35, 65, 95]);
    // A new connection has nothing to do with the patience that the old one needed.
    s.reconnect();
    s.welcome('c_1 5');
    s.later(5_000);
    expect(s.wake('send')[0]).toBe('2 > SEND k1');
  });

  it('sends everything again, in order, on a new connection', () => {
    const s = start({ deviceSendWindow: 2 }).live();
    for (const key of ['k1', 'k2', 'k3']) s.send(key);
    s.ack('k2', 6);
    s.reconnect();
    expect(s.welcome('c_1 6').slice(-2)).toEqual(['2 > SEND k1', '2 > SEND k3']);
    expect(s.device.outbox.inFlight).toBe(2);
  });

  it('waits as the server asks after an error that may pass', () => {
    const s = start().live();
    s.send('k1');
    expect(s.error('overloaded', 'k1', 8_000)).toEqual([]);
    s.later(7_999);
    expect(s.wake('send')).toEqual(['wake send in 5000']);
    s.later(1);
    expect(s.wake('send')[0]).toBe('1 > SEND k1');
  });

  it('gives up after one that does not', () => {
    const s = start().live();
    s.send('k1');
    expect(s.error('not_a_member', 'k1')).toEqual(['keep k1 as failed', 'failed k1 not_a_member', 'drop k1']);
    expect(s.error('not_a_member', 'k1')).toEqual([]);
    expect(s.error('bad_frame', undefined)).toEqual([]);
    expect(s.disk().outbox).toEqual([]);
  });

  // The app ended between hearing the refusal and telling its user: it tells him after the restart, and sends nothing.
  it('does not send again what was refused, and tells it once more', () => {
    const failed = { code: 'not_a_member', message: 'chatId: this user has left the chat' } as const;
    const item = {
      clientMsgId: clientMsgId('k1'),
      chatId: chatId('c_1'),
      ciphertext: 'AAAA',
      mediaIds: [],
      failed,
    };
    const s = start({}, { outbox: [item], cursors: [] });
    expect(s.start().slice(0, 2)).toEqual(['failed k1 not_a_member', 'drop k1']);
    expect(s.welcome().some((l) => l.includes('SEND'))).toBe(false);
  });

  // The ACK was lost with the connection; the replay brings the message itself.
  it('is settled by reading the own message back', () => {
    const s = start().live();
    s.send('k6');
    s.reconnect();
    s.welcome('c_1 5');
    const own = { from: userId('u_1'), fromDevice: deviceId('d_1'), clientMsgId: clientMsgId('k6') };
    expect(s.message(6, own)).toEqual(['sent k6 #6', 'drop k6', 'show c_1 #6 of u_1']);
    expect(s.ack('k6', 6)).toEqual([]);
    // Its place in the window is used at once.
    const narrow = start({ deviceSendWindow: 1 }).live();
    narrow.send('k6');
    narrow.send('k7');
    narrow.reconnect();
    narrow.welcome('c_1 5');
    expect(narrow.message(6, own).slice(-1)).toEqual(['show c_1 #6 of u_1']);
    expect(narrow.device.outbox.inFlight).toBe(1);
    // The same UUID made by another device of the user settles nothing.
    s.send('k7');
    expect(s.message(7, { ...own, fromDevice: deviceId('d_3'), clientMsgId: clientMsgId('k7') })).toEqual([
      'show c_1 #7 of u_1',
    ]);
    expect(s.disk().outbox).toHaveLength(1);
  });
});

describe('a chat whose home does not answer', () => {
  const HOME = chatId('c_2');
  /** Four sends into c_1, which is out of reach, fill the window; two into c_2 wait behind them. */
  const stuck = () => {
    const s = start({ deviceSendWindow: 4 }).live();
    for (const key of ['a1', 'a2', 'a3', 'a4', 'a5']) s.send(key);
    for (const key of ['b1', 'b2']) expect(s.send(key, HOME)).toEqual([`keep ${key}`]);
    s.later(DEFAULT_LIMITS.sendRetry / MILLISECOND);
    return s;
  };
  const sends = (lines: readonly string[]) => lines.filter((l) => l.includes('SEND'));

  it('keeps one send under way, and leaves the window to chats that answer', () => {
    const s = stuck();
    expect(sends(s.wake('send'))).toEqual(['1 > SEND a1', '1 > SEND b1', '1 > SEND b2']);
    expect(s.device.outbox.inFlight).toBe(2);
    s.ack('b1', 1, HOME);
    for (let n = 3; n < 40; n++) {
      expect(sends(s.send(`b${n}`, HOME))).toEqual([`1 > SEND b${n}`]);
      s.ack(`b${n - 1}`, n - 1, HOME);
    }
  });

  it('goes on in its order when its probe is answered', () => {
    const s = stuck();
    s.wake('send');
    expect(sends(s.ack('a1', 6))).toEqual(['1 > SEND a2', '1 > SEND a3']);
    expect(sends(s.ack('b1', 1, HOME))).toEqual(['1 > SEND a4']);
    // An answer to what was taken back and not sent again is as good as any.
    expect(sends(s.ack('b2', 2, HOME))).toEqual(['1 > SEND a5']);
    for (const [i, key] of ['a2', 'a3', 'a4', 'a5'].entries()) s.ack(key, 7 + i);
    expect([s.device.outbox.inFlight, s.device.outbox.stalled.size]).toEqual([0, 0]);
  });

  it('takes late answers to what it took back', () => {
    const s = stuck();
    s.wake('send');
    expect(sends(s.ack('a3', 8))).toEqual([]);
    expect(sends(s.ack('a2', 7))).toEqual([]);
    expect(sends(s.ack('a1', 6))).toEqual(['1 > SEND a4', '1 > SEND a5']);
    expect([s.device.outbox.inFlight, s.device.outbox.stalled.size]).toEqual([4, 0]);
  });

  it('has the whole window again on a new connection', () => {
    const s = stuck();
    s.wake('send');
    s.reconnect();
    expect(sends(s.welcome('c_1 5'))).toEqual(['a1', 'a2', 'a3', 'a4'].map((key) => `2 > SEND ${key}`));
    expect(s.device.outbox.stalled.size).toBe(0);
  });
});
