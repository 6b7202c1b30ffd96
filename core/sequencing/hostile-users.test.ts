import { describe, expect, it } from 'vitest';
import { userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { C, OK, record, start } from './testing/message-service-under-test.ts';

/** What one user may do to a message service. Where it says `fails` he still can: who mends that takes it away. */
describe('a hostile user', () => {
  // Each load reads every member, ten thousand perhaps, and the sends of the members wait for it.
  it.fails('who is a stranger to a chat does not have it read again with each of his sends', () => {
    const chat = record(0, { u_1: 'owner', u_2: 'member' });
    const s = start().ready(chat);
    let loads = 0;
    for (let i = 0; i < 100; i++) {
      loads += s.send(`k${i}`, 1, { userId: userId('u_9') }).filter((line) => line.startsWith('load')).length;
      s.loaded({ outcome: 'ok', chat, found: [] });
    }
    expect(loads).toBeLessThanOrEqual(10);
  });

  it('who adds and removes another makes the list of his spans no longer than some limit', () => {
    const s = start().ready();
    for (let i = 0; i < 1_000; i++) {
      for (const kind of ['set-member', 'remove-member'] as const) {
        s.admin(kind, 'u_1', 'u_3');
        s.changed(OK);
        s.send(`${kind} ${i}`);
        s.appended(OK);
      }
    }
    expect(s.service.chats.get(C)?.members.get(userId('u_3'))?.spans.length).toBe(DEFAULT_LIMITS.memberSpans);
  });
});
