import { expect, it } from 'vitest';
import { chatId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { micros } from '../contract/time.ts';
import { newRecounts, noteRow, takeCounted, takeDue } from './recount.ts';

const LIMIT = 16;

// Busy chats that happened to be the first hid all that were idle, and what a relay remembers grew for ever.
it('forgets idle chats although others are always busy', () => {
  const limits = { ...DEFAULT_LIMITS, relayInFlight: LIMIT };
  const recounts = newRecounts();
  const busy = Array.from({ length: LIMIT / 2 }, (_, i) => chatId(`c_${i}`));
  let row = 1;
  for (const chat of busy) noteRow(recounts, chat, row++, limits);
  takeDue(recounts, limits, micros(1));
  for (let i = 100; i < 1_000; i++) {
    const chat = chatId(`c_${i}`);
    expect(noteRow(recounts, chat, row++, limits)).toBe(true);
    expect(takeDue(recounts, limits, micros(1)).map((due) => due.chatId)).toEqual([chat]);
    takeCounted(recounts, chat, []);
    // One more now and then, while all that were looked at are busy.
    expect(recounts.chats.size).toBeLessThanOrEqual(LIMIT + 1);
  }
  for (const chat of busy) expect(recounts.chats.get(chat)?.counting).toBe(true);
});
