import { describe, expect, it } from 'vitest';
import { chatId, connId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import type { GatewayUnderTest } from './testing/gateway-under-test.ts';
import { C, chat, EVER, row, start } from './testing/gateway-under-test.ts';

/** What one device may do to its gateway and the store. */
describe('a hostile device', () => {
  it('that says PING and never PONG keeps a bounded number of pushes waiting', () => {
    const s = start({ inFlightMessages: 4 }).live();
    for (let seq = 6; seq < 10; seq++) s.push(seq);
    for (let seq = 10; seq < 1_000; seq++) {
      // The worker tries each push six times; each try has a number of its own.
      for (let attempt = 0; attempt < DEFAULT_LIMITS.pushAttempts; attempt++) s.push(seq);
      if (seq % 15 !== 0) continue;
      s.later(15);
      s.say({ frame: 'PING', t: seq });
      s.wake('session', 1);
    }
    expect(s.gateway.sessions.get(connId(1))?.held.length).toBeLessThanOrEqual(DEFAULT_LIMITS.heldPushes);
  });

  it('that asks SYNC of all its chats has no more remembered for it than some pages', () => {
    const s = start().listing();
    const chats = Array.from({ length: 50 }, (_, i) => chat(256, 256, { chatId: chatId(`c_${i + 1}`) }));
    s.chats(chats);
    s.say({ frame: 'RESUME', cursors: chats.map((each) => [each.chatId, 0] as const) });
    for (const each of chats) {
      readAll(s);
      s.later(1);
      s.say({ frame: 'SYNC', chatId: each.chatId, afterSeq: 0, limit: 256 });
    }
    const views = [...(s.gateway.sessions.get(connId(1))?.chats.values() ?? [])];
    const beside = views.reduce((sum, view) => sum + view.beside.length, 0);
    expect(beside).toBeLessThanOrEqual(16 * DEFAULT_LIMITS.syncPage);
  });

  // One count of a group of 10,000 takes PostgreSQL half a second, on the connection that reads the outbox.
  it('that says OPEN again and again has few counts under way', () => {
    const s = start();
    s.welcome([chat(5, 5, { size: 10_000 })]);
    s.resume();
    let counts = 0;
    for (let i = 0; i < DEFAULT_LIMITS.frameBurst; i++)
      counts += s.say({ frame: 'OPEN', chatId: C }).filter((effect) => effect.includes(' count ')).length;
    expect(counts).toBeLessThanOrEqual(DEFAULT_LIMITS.openChats);
  });

  it('that goes on sending while all its requests wait is sent away', () => {
    const s = start().live();
    for (let i = 0; i < 20_000; i++) s.send(`k${i}`);
    expect(s.gateway.sessions.size).toBe(0);
  });
});

/** Answers every read of connection 1: of a SYNC with a full page, of the replay with nothing. */
function readAll(s: GatewayUnderTest): void {
  for (;;) {
    const reading = s.gateway.sessions.get(connId(1))?.reading;
    if (reading === undefined) return;
    const { call, sync } = reading;
    const messages =
      sync === undefined ? [] : Array.from({ length: 256 }, (_, i) => row(i + 1, { chatId: sync.chatId }));
    const result = { outcome: 'ok', messages, more: false, head: 256, spans: EVER, size: 2 } as const;
    s.step({ kind: 'fetched', conn: connId(1), call, chatId: C, result });
  }
}
