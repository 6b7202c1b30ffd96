import { describe, expect, it } from 'vitest';
import { chatId, connId } from '../contract/ids.ts';
import { SECOND } from '../contract/time.ts';
import { chat, start } from './testing/gateway-under-test.ts';

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
