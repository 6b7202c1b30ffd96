import { describe, expect, it } from 'vitest';
import { type ChatId, chatId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import type { MessageServiceUnderTest } from './testing/message-service-under-test.ts';
import { C, record, start, stored } from './testing/message-service-under-test.ts';

const { strangerBurst: MOST } = DEFAULT_LIMITS;
const CHAT = record(0, { u_1: 'owner', u_2: 'member' });
const STRANGER = { userId: userId('u_9') };

/** What one user can do to a message service, and to the others who use it. Each load reads every member, ten thousand perhaps. */
describe('a hostile user', () => {
  it('who is a stranger to a chat does not have it read again with each of his sends', () => {
    const s = start().ready(CHAT);
    expect(loadsOf(s, () => s.send('k', 1, STRANGER), 100)).toBe(MOST);
    s.later(3);
    expect(loadsOf(s, () => s.send('k', 1, STRANGER), 100)).toBe(3);
  });

  it('nor by asking who is in it', () => {
    const s = start().ready(CHAT);
    expect(loadsOf(s, () => s.members('u_9'), 100)).toBe(MOST);
    expect(s.members('u_9')).toEqual(['refuse gw-1/1 c_1 overloaded']);
  });

  it('learns nothing by being made to wait: it is the same for a chat that there is not', () => {
    const s = start().ready(CHAT);
    loadsOf(s, () => s.send('k', 1, STRANGER), MOST);
    expect(s.send('k', 1, STRANGER)).toEqual(['refuse gw-1/1 k overloaded']);
    expect(s.send('k', 1, { ...STRANGER, chatId: chatId('c_404') })).toEqual(['refuse gw-1/1 k overloaded']);
  });

  it('who tries chats that there are not is charged for them as well', () => {
    const s = start();
    let loads = 0;
    for (let i = 0; i < 100; i++) {
      const id: ChatId = chatId(`c_${i + 100}`);
      const asked = s.send('k', 1, { ...STRANGER, chatId: id }).some((line) => line.startsWith('load'));
      if (!asked) continue;
      loads++;
      s.step({ kind: 'loaded', call: loads, chatId: id, result: { outcome: 'no-chat' } });
    }
    expect(loads).toBe(MOST);
    expect(s.service.chats.size).toBe(0);
  });

  it('makes nobody else wait: members send, and so does he where he is one', () => {
    const s = start().ready(CHAT);
    loadsOf(s, () => s.send('k', 1, STRANGER), MOST);
    expect(s.send('k1', 1)[0]).toMatch(/^append c_1/);
    s.appended({ outcome: 'ok' });
    s.admin('set-member', 'u_1', 'u_9');
    s.changed({ outcome: 'ok' });
    expect(s.send('k2', 1, STRANGER)[0]).toMatch(/^append c_1/);
  });

  it('who asks who is in it for ever is refused his sends all the same', () => {
    const s = start().ready(CHAT);
    loadsOf(s, () => s.members('u_9'), MOST);
    expect(s.send('k', 1, STRANGER)).toEqual(['load c_1 asking k']);
  });

  it('is charged once for what one load told of many sends', () => {
    const s = start({ strangerBurst: 3 }).ready(CHAT);
    s.send('k1', 1, STRANGER);
    // They wait for the next load: a device that was removed while it was away has a whole outbox for the chat.
    s.send('k2', 1, STRANGER);
    s.send('k3', 1, STRANGER);
    const first = s.loaded({ outcome: 'ok', chat: CHAT, found: [] });
    expect(first).toEqual(['refuse gw-1/1 k1 no_such_chat', 'load c_1 asking k2,k3']);
    const second = s.loaded({ outcome: 'ok', chat: CHAT, found: [] });
    expect(second).toEqual(['refuse gw-1/1 k2 no_such_chat', 'refuse gw-1/1 k3 no_such_chat']);
    expect(s.send('k4', 1, STRANGER)).toEqual(['load c_1 asking k4']);
  });

  it('is not charged for a send that is a message already: he left after it', () => {
    const s = start({ strangerBurst: 1 }).ready(CHAT);
    s.send('k1', 1, STRANGER);
    const found = [stored(1, 'k1', 9, { from: STRANGER.userId })];
    expect(s.loaded({ outcome: 'ok', chat: CHAT, found })).toEqual(['ack gw-1/1 k1 #1 m9 duplicate']);
    expect(s.send('k2', 1, STRANGER)).toEqual(['load c_1 asking k2']);
  });
});

/** How many of `times` such requests made the service read the chat, which is as it was. */
function loadsOf(s: MessageServiceUnderTest, request: () => readonly string[], times: number): number {
  let loads = 0;
  for (let i = 0; i < times; i++) {
    if (!request().includes(`load ${C} asking k`) && s.service.chats.get(C)?.phase !== 'loading') continue;
    loads++;
    s.loaded({ outcome: 'ok', chat: CHAT, found: [] });
  }
  return loads;
}
