import { describe, expect, test } from 'vitest';
import { mediaId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import type { PromiseName, Violation } from './oracle.ts';
import { presenceBound } from './presence-converges.ts';
import { type Tale, threeDevices } from './tale.ts';

const everywhere = (tale: Tale, seq: number): Tale =>
  tale
    .push('d_2', 2, 'c_1', seq)
    .shown('d_2', 'c_1', seq, `m_${seq}`)
    .push('d_3', 3, 'c_1', seq)
    .shown('d_3', 'c_1', seq, `m_${seq}`);

const healed = (tale: Tale, ...served: string[]): Tale =>
  tale.heal(...(served.length === 0 ? ['d_1', 'd_2', 'd_3'] : served)).end();

/** Judged by all oracles and, so that none leans on another, by that one alone. */
const expectRed = (tale: Tale, oracle: PromiseName, observed: RegExp): Violation => {
  const all = tale.judged();
  const alone = tale.judged({ only: [oracle] });
  expect(all?.oracle).toBe(oracle);
  expect(alone?.oracle).toBe(oracle);
  expect(`${alone?.observed} ${alone?.stuck.join(' ')}`).toMatch(observed);
  return alone as Violation;
};

describe('a good history', () => {
  test('with messages, receipts, presence and a late joiner breaks no promise', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1');
    everywhere(tale, 1)
      .confirm('d_2', 'c_1', 'm_1', 'DELIVERED')
      .cursor('d_2', 'c_1', 1)
      .watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED')
      .receiptShown('d_1', 'u_2', 'c_1', 1, 'm_1', 'DELIVERED')
      .device('d_4')
      .member('c_1', 'u_4', [{ after: 1, upTo: OPEN_END }], 1)
      .resume('d_4', 4)
      .sent('c_1', 2, 'm_2');
    everywhere(tale, 2)
      .push('d_4', 4, 'c_1', 2, 0)
      .shown('d_4', 'c_1', 2, 'm_2')
      .confirm('d_2', 'c_1', 'm_2', 'READ')
      .cursor('d_2', 'c_1', 2)
      .watermark('u_2', 'c_1', 2, 'm_2', 'READ')
      .watermark('u_2', 'c_1', 2, 'm_2', 'DELIVERED')
      .receiptShown('d_1', 'u_2', 'c_1', 2, 'm_2', 'READ')
      .watch('d_1', 'c_1')
      .presence('d_1', 'u_2', 'ONLINE')
      .presence('d_1', 'u_4', 'ONLINE');
    expect(healed(tale, 'd_1', 'd_2', 'd_3', 'd_4').judged()).toBeUndefined();
  });

  test('a device that was off, comes back and is replayed breaks no promise', () => {
    const tale = threeDevices().live('d_3', false).fault(1).sent('c_1', 1, 'm_1').fault(0);
    tale
      .push('d_2', 2, 'c_1', 1)
      .shown('d_2', 'c_1', 1, 'm_1')
      .live('d_3', true)
      .resume('d_3', 9, [['c_1', 0]]);
    expect(healed(tale.push('d_3', 9, 'c_1', 1).shown('d_3', 'c_1', 1, 'm_1')).judged()).toBeUndefined();
  });

  test('read from the store afterwards breaks no promise', () => {
    const tale = threeDevices()
      .send('d_1', 'c_1', 'k_1')
      .ack('d_1', 'c_1', 1, 'm_1')
      .shown('d_1', 'c_1', 1, 'm_1')
      .shown('d_2', 'c_1', 1, 'm_1')
      .shown('d_3', 'c_1', 1, 'm_1')
      .commit('d_1', 'c_1', 1, 'm_1');
    expect(healed(tale).judged({ commitsSeen: 'afterwards' })).toBeUndefined();
  });
});

describe('no-acked-message-lost', () => {
  const NAME = 'no-acked-message-lost';

  test('an ACK for what is not in the store', () => {
    expectRed(threeDevices().send('d_1', 'c_1', 'k_1').ack('d_1', 'c_1', 1, 'm_1'), NAME, /never committed/);
  });

  test('an ACK that names another seq than the stored one', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1').commit('d_1', 'c_1', 1, 'm_1');
    const alone = tale.ack('d_1', 'c_1', 2, 'm_1').judged({ only: [NAME] });
    expect(alone?.oracle).toBe(NAME);
  });

  test('one device of a member never shows it', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').push('d_2', 2, 'c_1', 1).shown('d_2', 'c_1', 1, 'm_1');
    const violation = expectRed(healed(tale), NAME, /d_3 of u_2 waits for seq 1 of c_1 \(m_1\)/);
    expect(violation.phase).toBe('liveness');
  });

  test('a hole in the middle is a loss although a later message was shown', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2');
    tale.shown('d_2', 'c_1', 1, 'm_1').shown('d_2', 'c_1', 2, 'm_2').shown('d_3', 'c_1', 2, 'm_2');
    expect(healed(tale).judged({ only: [NAME] })?.stuck).toEqual(['d_3 of u_2 waits for seq 1 of c_1 (m_1)']);
  });

  test('an acknowledged message that the store does not have afterwards', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1').ack('d_1', 'c_1', 1, 'm_1');
    const violation = healed(tale).judged({ commitsSeen: 'afterwards', only: [NAME] });
    expect(violation?.observed).toMatch(/the store has no m_1/);
  });

  test('what lies before the start of a device, or is not visible to it, is not lost', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1');
    everywhere(tale, 1)
      .device('d_5', 'u_2', false)
      .cursor('d_5', 'c_1', 1)
      .start('d_5', 'c_1', 1)
      .resume('d_5', 5)
      .live('d_5', true)
      .device('d_6')
      .resume('d_6', 6)
      .member('c_1', 'u_6', [{ after: 1, upTo: OPEN_END }], 1);
    expect(healed(tale, 'd_1', 'd_2', 'd_3', 'd_5', 'd_6').judged()?.oracle).toBeUndefined();
  });

  test('a device that cannot be served is owed nothing', () => {
    const tale = threeDevices().live('d_3', false).sent('c_1', 1, 'm_1');
    expect(
      healed(tale.push('d_2', 2, 'c_1', 1).shown('d_2', 'c_1', 1, 'm_1'), 'd_1', 'd_2').judged(),
    ).toBeUndefined();
  });
});

describe('polls-carry-all', () => {
  const NAME = 'polls-carry-all';

  test('frames come once, in order, to their last, whatever comes twice on the way', () => {
    const tale = threeDevices()
      .polled('d_2', { acked: 0, after: 0, had: 0, heard: [1, 2] })
      .polled('d_2', { acked: 0, after: 0, had: 2, heard: [3] })
      .polled('d_2', { acked: 3, after: 3, had: 3, heard: [4], said: 4 });
    expect(healed(tale).judged()).toBeUndefined();
  });

  test('an answer begins behind what the device has not got', () => {
    const tale = threeDevices().polled('d_2', { acked: 0, after: 1, had: 0, heard: [] });
    expectRed(tale, NAME, /what lies between is gone/);
  });

  test('what was acknowledged is sent again', () => {
    const tale = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [1, 2] });
    expectRed(tale.polled('d_2', { acked: 2, after: 1, had: 2, heard: [] }), NAME, /begins behind frame 1/);
  });

  test('a frame is handed over twice, or left out', () => {
    const once = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [1, 2] });
    expectRed(once.polled('d_2', { acked: 0, after: 0, had: 2, heard: [2, 3] }), NAME, /is handed frame 2/);
    const tale = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [2] });
    expectRed(tale, NAME, /is handed frame 2/);
  });

  test('the end is told before the last frames', () => {
    const tale = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [1], said: 2 });
    expectRed(tale, NAME, /hears of it after 1/);
  });
});

describe('tokens-are-honoured', () => {
  const NAME = 'tokens-are-honoured';
  const bound = Math.max(DEFAULT_LIMITS.heartbeat, DEFAULT_LIMITS.resumeTimeout);

  test('a session goes on for long after its token ran out', () => {
    const tale = threeDevices()
      .wait(2 * bound)
      .outlived('d_2', bound + 1);
    expectRed(tale, NAME, /goes on 15\.000 s after that/);
  });

  test('a gateway is late, or a fault explains it', () => {
    expect(
      threeDevices()
        .wait(2 * bound)
        .outlived('d_2', bound)
        .judged(),
    ).toBeUndefined();
    const tale = threeDevices()
      .wait(2 * bound)
      .fault(1)
      .outlived('d_2', 2 * bound)
      .fault(0);
    expect(tale.outlived('d_2', 2 * bound).judged()).toBeUndefined();
  });
});

describe('no-duplicate-shown', () => {
  const NAME = 'no-duplicate-shown';

  test('a device shows a message twice', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(tale.shown('d_2', 'c_1', 1, 'm_1'), NAME, /shows m_1 again/);
  });

  test('a send becomes two messages in the store', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1');
    expectRed(
      tale.commit('d_1', 'c_1', 2, 'm_2', { clientMsgId: 'k_1' as never }),
      NAME,
      /m_2 at seq 2 as well/,
    );
  });

  test('a repeated send is acknowledged with another id', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').ack('d_1', 'c_1', 2, 'm_2', 'k_1');
    expectRed(tale, NAME, /m_2 at seq 2 as well/);
  });

  test('a repeated send is acknowledged with another seq', () => {
    expectRed(
      threeDevices().sent('c_1', 1, 'm_1').ack('d_1', 'c_1', 2, 'm_1', 'k_1'),
      NAME,
      /seq 2 of c_1 as well/,
    );
  });

  test('one seq is given to two messages', () => {
    const tale = threeDevices()
      .sent('c_1', 1, 'm_1')
      .send('d_2', 'c_1', 'k_2')
      .commit('d_2', 'c_1', 1, 'm_2');
    expectRed(tale, NAME, /given to m_2 and to m_1/);
  });

  test('a device sends what it called failed', () => {
    const end = { deviceId: 'd_1' as never, clientMsgId: 'k_1' as never, chatId: 'c_1' as never };
    const tale = threeDevices()
      .send('d_1', 'c_1', 'k_1')
      .tell({ kind: 'send-failed', ...end, code: 'not_a_member' })
      .tell({ kind: 'sent-again', ...end });
    expectRed(tale, NAME, /sends k_1 again/);
  });

  test('a send is reported as failed and is a message', () => {
    const failed = (tale: Tale): Tale =>
      tale.tell({
        kind: 'send-failed',
        deviceId: 'd_1' as never,
        clientMsgId: 'k_1' as never,
        chatId: 'c_1' as never,
        code: 'unavailable',
      });
    expectRed(
      failed(threeDevices().send('d_1', 'c_1', 'k_1').commit('d_1', 'c_1', 1, 'm_1')),
      NAME,
      /m_1 as well/,
    );
    expectRed(
      failed(threeDevices().send('d_1', 'c_1', 'k_1')).commit('d_1', 'c_1', 1, 'm_1'),
      NAME,
      /m_1 as well/,
    );
  });

  test('the same clientMsgId of two users is two messages', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').send('d_2', 'c_1', 'k_1');
    expect(tale.commit('d_2', 'c_1', 2, 'm_2', { clientMsgId: 'k_1' as never }).judged()).toBeUndefined();
  });
});

describe('order-per-chat', () => {
  const NAME = 'order-per-chat';

  test('a device skips a seq', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2').shown('d_2', 'c_1', 2, 'm_2');
    expectRed(tale, NAME, /shows m_2 at seq 2/);
  });

  test('a device goes back', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2').shown('d_2', 'c_1', 1, 'm_1');
    expectRed(tale.shown('d_2', 'c_1', 2, 'm_2').shown('d_2', 'c_1', 1, 'm_9'), NAME, /goes back/);
  });

  test('two devices show different bytes at one seq', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').shown('d_2', 'c_1', 1, 'm_1', 'BBBB');
    expectRed(tale, NAME, /ciphertext BBBB/);
  });

  test('a device shows other media than were committed', () => {
    const tale = threeDevices()
      .sent('c_1', 1, 'm_1')
      .shown('d_2', 'c_1', 1, 'm_1', 'AAAA', [mediaId('x_7')]);
    expectRed(tale, NAME, /mediaIds x_7/);
  });

  test('the store leaves out a seq', () => {
    const tale = threeDevices()
      .sent('c_1', 1, 'm_1')
      .send('d_1', 'c_1', 'k_3')
      .commit('d_1', 'c_1', 3, 'm_3');
    expectRed(tale, NAME, /seq 3 is \(m_3\)/);
  });

  test('a restart goes on further ahead', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2').shown('d_2', 'c_1', 1, 'm_1');
    expectRed(tale.start('d_2', 'c_1', 2), NAME, /goes on after seq 2/);
  });

  test('who came back later goes on where his membership does', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    tale.member('c_1', 'u_2', [{ after: 0, upTo: 1 }], 1).sent('c_1', 2, 'm_2');
    const spans = [
      { after: 0, upTo: 1 },
      { after: 2, upTo: OPEN_END },
    ];
    tale.member('c_1', 'u_2', spans, 2).sent('c_1', 3, 'm_3').push('d_2', 2, 'c_1', 3, 1);
    expect(tale.shown('d_2', 'c_1', 3, 'm_3').judged()).toBeUndefined();
    expectRed(tale.shown('d_3', 'c_1', 4, 'm_4'), NAME, /shows m_4 at seq 4/);
  });
});

describe('delivered-set-is-membership', () => {
  const NAME = 'delivered-set-is-membership';
  const left = (): Tale =>
    everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1)
      .member('c_1', 'u_2', [{ after: 0, upTo: 1 }], 1)
      .sent('c_1', 2, 'm_2');

  test('a gateway sends a message to who has left', () => {
    expectRed(left().push('d_2', 2, 'c_1', 2), NAME, /u_2 is sent seq 2/);
  });

  test('a device shows a message to who has left', () => {
    expectRed(left().shown('d_2', 'c_1', 2, 'm_2'), NAME, /u_2 shows seq 2/);
  });

  test('who joined late is sent what came before', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').device('d_4').resume('d_4', 4);
    tale.member('c_1', 'u_4', [{ after: 1, upTo: OPEN_END }], 1);
    expectRed(tale.push('d_4', 4, 'c_1', 1), NAME, /u_4 is sent seq 1/);
  });

  test('a stranger is sent anything at all', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').device('d_4').resume('d_4', 4);
    expect(expectRed(tale.push('d_4', 4, 'c_1', 1), NAME, /u_4/).expected).toBe('u_4 sees nothing of c_1');
  });

  test('who has left gets a receipt for what came later', () => {
    const tale = left().watermark('u_1', 'c_1', 2, 'm_2', 'DELIVERED');
    expectRed(tale.receiptShown('d_2', 'u_1', 'c_1', 2, 'm_2', 'DELIVERED'), NAME, /gets a receipt/);
  });

  test('who has left writes', () => {
    expectRed(left().send('d_2', 'c_1', 'k_3').commit('d_2', 'c_1', 3, 'm_3'), NAME, /u_2 wrote seq 3/);
  });

  test('leaving takes away what came before', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(tale.member('c_1', 'u_2', [], 1), NAME, /spans became \[\]/);
  });

  test('a change takes effect later than it was decided', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(tale.member('c_1', 'u_2', [{ after: 0, upTo: 2 }], 1), NAME, /"upTo":2/);
  });

  test('joining gives what came before', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').device('d_4').member('c_1', 'u_4', [], 1);
    expectRed(tale.member('c_1', 'u_4', [{ after: 0, upTo: OPEN_END }], 1), NAME, /"after":0/);
  });
});

describe('receipts-monotone', () => {
  const NAME = 'receipts-monotone';
  const two = (): Tale => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    return everywhere(tale.sent('c_1', 2, 'm_2'), 2).watermark('u_2', 'c_1', 2, 'm_2', 'DELIVERED');
  };

  test('a receipt is counted twice', () => {
    expectRed(two().watermark('u_2', 'c_1', 2, 'm_2', 'DELIVERED'), NAME, /saved a second time/);
  });

  test('a watermark goes back', () => {
    expectRed(two().watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED'), NAME, /saved after it/);
  });

  test('READ without DELIVERED', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1).watermark(
      'u_2',
      'c_1',
      1,
      'm_1',
      'READ',
    );
    expectRed(tale.end(), NAME, /DELIVERED is at seq 0/);
  });

  test('a receipt for what no device of the user has got', () => {
    const tale = threeDevices().sent('c_1', 1, 'm_1').watermark('u_2', 'c_1', 1, 'm_1', 'DELIVERED');
    expectRed(tale, NAME, /DELIVERED of u_2 at seq 1/);
  });

  test('a receipt for another message than the one at that seq', () => {
    const tale = everywhere(threeDevices().sent('c_1', 1, 'm_1'), 1);
    expectRed(
      everywhere(tale.sent('c_1', 2, 'm_2'), 2).watermark('u_2', 'c_1', 2, 'm_1', 'READ'),
      NAME,
      /names m_1/,
    );
  });

  test('a device confirms what it does not show', () => {
    expectRed(
      threeDevices().sent('c_1', 1, 'm_1').confirm('d_2', 'c_1', 'm_1', 'DELIVERED'),
      NAME,
      /for m_1 at seq 1/,
    );
  });

  test('a device is shown a receipt that nobody gave', () => {
    expectRed(
      two().receiptShown('d_1', 'u_2', 'c_1', 2, 'm_2', 'READ'),
      NAME,
      /d_1 of u_1 is shown READ of u_2/,
    );
  });
});

describe('presence-converges', () => {
  const NAME = 'presence-converges';
  const watching = (): Tale => threeDevices().watch('d_1', 'c_1').presence('d_1', 'u_2', 'ONLINE');

  test('a ghost: the user is gone and stays ONLINE', () => {
    const tale = watching()
      .live('d_2', false)
      .live('d_3', false)
      .heal('d_1')
      .wait(presenceBound(DEFAULT_LIMITS));
    expectRed(tale.end(false), NAME, /shows u_2 ONLINE, who is OFFLINE/);
  });

  test('somebody is missing: the user is there and stays OFFLINE', () => {
    const tale = threeDevices()
      .watch('d_1', 'c_1')
      .heal('d_1', 'd_2', 'd_3')
      .wait(presenceBound(DEFAULT_LIMITS));
    expectRed(tale.end(), NAME, /shows u_2 OFFLINE, who is ONLINE/);
  });

  test('not yet overdue is not wrong', () => {
    const tale = watching().live('d_2', false).live('d_3', false).heal('d_1').end(false);
    expect(tale.judged({ only: [NAME] })).toBeUndefined();
  });

  test('a flap while a device is live', () => {
    const tale = watching().wait(presenceBound(DEFAULT_LIMITS)).live('d_2', false);
    expectRed(tale.presence('d_1', 'u_2', 'OFFLINE'), NAME, /shows u_2 OFFLINE, with no fault about/);
  });

  test('a flap at a handover shorter than the grace', () => {
    const tale = watching().live('d_2', false).live('d_3', false).wait(SECOND).live('d_3', true);
    expectRed(tale.presence('d_1', 'u_2', 'OFFLINE'), NAME, /with no fault about/);
  });

  test('OFFLINE before the grace is over', () => {
    const tale = watching().wait(SECOND).live('d_2', false).live('d_3', false).wait(SECOND);
    expectRed(tale.presence('d_1', 'u_2', 'OFFLINE'), NAME, /OFFLINE, with no fault about/);
  });

  test('OFFLINE after the grace, or on a screen that has just begun to watch, is no flap', () => {
    const gone = (tale: Tale): Tale => tale.live('d_2', false).live('d_3', false);
    const late = gone(watching())
      .wait(6 * SECOND)
      .presence('d_1', 'u_2', 'OFFLINE');
    expect(late.judged()).toBeUndefined();
    const again = gone(watching())
      .watch('d_1', 'c_1', false)
      .watch('d_1', 'c_1')
      .presence('d_1', 'u_2', 'OFFLINE');
    expect(again.judged()).toBeUndefined();
  });

  test('OFFLINE shortly after a fault is no flap', () => {
    const tale = watching().wait(presenceBound(DEFAULT_LIMITS)).fault(1).fault(0);
    expect(tale.presence('d_1', 'u_2', 'OFFLINE').judged()).toBeUndefined();
  });
});

describe('cursors-never-regress', () => {
  const NAME = 'cursors-never-regress';
  const two = (): Tale => threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2');

  test('a stored cursor goes back', () => {
    const tale = everywhere(everywhere(two(), 1), 2).cursor('d_2', 'c_1', 2).cursor('d_2', 'c_1', 1);
    expectRed(tale, NAME, /seq 1 is saved/);
  });

  test('a stored cursor runs ahead of what the device shows', () => {
    expectRed(two().push('d_2', 2, 'c_1', 1).cursor('d_2', 'c_1', 1), NAME, /seq 1 is saved/);
  });

  test('a new device starts at 0 instead of the head', () => {
    expectRed(two().device('d_5', 'u_2', false).cursor('d_5', 'c_1', 0), NAME, /at seq 0/);
  });

  test('a new device is told another start than the stored one', () => {
    const tale = two().device('d_5', 'u_2', false).cursor('d_5', 'c_1', 2).start('d_5', 'c_1', 1);
    expectRed(tale, NAME, /it starts at seq 1/);
  });

  test('a device resumes ahead of what it shows', () => {
    expectRed(two().resume('d_2', 7, [['c_1', 1]]), NAME, /it resumes at seq 1/);
  });

  test('what follows a resume leaves out a seq', () => {
    expectRed(
      two()
        .resume('d_2', 7, [['c_1', 0]])
        .push('d_2', 7, 'c_1', 2),
      NAME,
      /leaves out seq 1 of c_1/,
    );
  });

  test('a later frame leaves out a seq', () => {
    const tale = two().sent('c_1', 3, 'm_3').push('d_2', 2, 'c_1', 1).push('d_2', 2, 'c_1', 3);
    expectRed(tale, NAME, /leaves out seq 2 of c_1/);
  });

  test('a frame names the wrong predecessor', () => {
    expectRed(two().push('d_2', 2, 'c_1', 1).push('d_2', 2, 'c_1', 2, 0), NAME, /follows seq 0/);
  });

  test('a message before RESUME', () => {
    expectRed(two().push('d_2', 77, 'c_1', 1), NAME, /sends seq 1/);
  });

  test('an own message may be left out: its ACK says as much', () => {
    const tale = two().push('d_1', 1, 'c_1', 2, 1);
    expect(tale.judged()).toBeUndefined();
    expectRed(two().push('d_2', 2, 'c_1', 2, 1), NAME, /leaves out seq 1/);
  });

  test('the newest connection is told that it was replaced', () => {
    expectRed(two().opened('d_2', 5).opened('d_2', 6).replaced('d_2', 6), NAME, /told that it was replaced/);
    expect(two().opened('d_2', 5).opened('d_2', 6).replaced('d_2', 5).judged()).toBeUndefined();
  });

  test('a repeated frame is no skip', () => {
    const tale = two().push('d_2', 2, 'c_1', 1).push('d_2', 2, 'c_1', 2).push('d_2', 2, 'c_1', 1);
    expect(tale.judged()).toBeUndefined();
  });
});

describe('bounded', () => {
  test('a queue over its limit, or without a length', () => {
    expectRed(threeDevices().gauge('in flight', 257, 256), 'bounded', /it is 257/);
    expect(threeDevices().gauge('in flight', 256, 256).judged()).toBeUndefined();
  });
});

describe('converges', () => {
  const NAME = 'converges';

  test('a send that is never answered', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1');
    expectRed(healed(tale), NAME, /d_1 of u_1 waits for the ACK of k_1 in c_1/);
  });

  test('a served device that never comes back', () => {
    expectRed(healed(threeDevices().live('d_2', false)), NAME, /d_2 of u_2 waits for a connection/);
  });

  test('a committed message that nobody was told of is not shown', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1').commit('d_1', 'c_1', 1, 'm_1');
    expectRed(healed(tale), NAME, /d_2 of u_2 waits for seq 1 of c_1 \(m_1\); it has shown up to seq 0/);
  });

  test('nobody waits but the system never rests', () => {
    expectRed(threeDevices().heal('d_1', 'd_2', 'd_3').end(false), NAME, /still busy/);
  });
});

describe('latency', () => {
  const NAME = 'latency';
  const load = (slow: number, faults = false): Tale => {
    const tale = threeDevices();
    for (let seq = 1; seq <= 100; seq++) {
      if (faults && seq % 10 === 0) tale.fault(1).fault(0);
      tale.sent('c_1', seq, `m_${seq}`).wait(seq <= slow ? 600 * MILLISECOND : 0);
      everywhere(tale, seq);
    }
    return tale;
  };

  test('more than one delivery in a hundred is slow', () => {
    expectRed(healed(load(2)), NAME, /4 of 200 took longer/);
  });

  test('one in a hundred may be', () => {
    expect(healed(load(1)).judged()).toBeUndefined();
  });

  test('deliveries near a fault are not timed', () => {
    expect(healed(load(100, true)).judged()).toBeUndefined();
  });
});
