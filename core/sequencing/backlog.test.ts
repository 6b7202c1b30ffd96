import { describe, expect, it } from 'vitest';
import { chatId } from '../contract/ids.ts';
import { C, loadedWith, OK, start, stored } from './testing/message-service-under-test.ts';

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
