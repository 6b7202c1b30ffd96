import { describe, expect, it } from 'vitest';
import { deviceId, userId } from '../contract/ids.ts';
import { loadedWith, OK, PAIR, record, start, stored } from './testing/message-service-under-test.ts';

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
