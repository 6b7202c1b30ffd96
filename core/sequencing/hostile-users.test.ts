import { describe, expect, it } from 'vitest';
import { userId } from '../contract/ids.ts';
import { record, start } from './testing/message-service-under-test.ts';

/** What one user can still do to a message service. It fails: who mends it takes its `fails` away. */
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
});
