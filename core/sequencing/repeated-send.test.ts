import { describe, expect, it } from 'vitest';
import { chatId, deviceId, userId } from '../contract/ids.ts';
import { loadedWith, OK, start, stored } from './testing/message-service-under-test.ts';

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

  it.each([
    [4, ['gw-1/3', 'gw-1/4', 'gw-1/5', 'gw-1/6']],
    [1, ['gw-1/6']],
  ])('remembers the %i latest connections of a send that joined and joined', (replyTos, told) => {
    const s = start({ replyTos }).ready();
    for (let conn = 1; conn <= 6; conn++) s.send('k1', conn);
    expect(
      s
        .appended(OK)
        .filter((l) => l.startsWith('ack'))
        .map((l) => l.split(' ')[1]),
    ).toEqual(told);
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
