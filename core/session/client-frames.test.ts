import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, serverMsgId } from '../contract/ids.ts';
import type { ErrorCode } from '../wire/frames.ts';
import type { GatewayEvent } from './gateway-event.ts';
import { C, start } from './testing/gateway-under-test.ts';

describe('a send', () => {
  const refused = (code: ErrorCode, key: string | undefined): GatewayEvent => ({
    kind: 'reply',
    reply: {
      kind: 'refused',
      conn: connId(1),
      code,
      message: 'no',
      retryAfterMs: undefined,
      clientMsgId: key === undefined ? undefined : clientMsgId(key),
      chatId: C,
    },
  });

  it('that is refused tells the device which', () => {
    const s = start().live();
    s.send('k1');
    expect(s.step(refused('not_a_member', 'k1'))).toEqual(['1 < ERROR not_a_member k1']);
    // Its device is gone: nobody is told.
    s.step({ kind: 'closed', conn: connId(1) });
    expect(s.step(refused('unavailable', 'k1'))).toEqual([]);
    expect(s.ack('k1', 6)).toEqual([]);
  });

  it('that can never be taken is refused by its id, for good', () => {
    const bad = { kind: 'bad-frame', conn: connId(1), code: 'too_large', message: 'ciphertext: …' } as const;
    expect(
      start()
        .live()
        .step({ ...bad, clientMsgId: clientMsgId('k1') }),
    ).toEqual(['1 < ERROR too_large k1']);
  });

  it('is refused while too many wait, unless it repeats one of them; unanswered ones are forgotten in time', () => {
    const s = start({ sessionRequests: 1 }).live();
    s.send('k1');
    expect(s.send('k2')).toEqual(['1 < ERROR overloaded k2']);
    expect(s.send('k1')).toEqual(['submit k1 of d_1']);
    s.later(10);
    expect(s.wake('session', 1)).toEqual(['wake session 1 in 15 s']);
    expect(s.send('k2')).toEqual(['submit k2 of d_1']);
    s.ack('k2', 6);
    expect(s.send('k3')).toEqual(['submit k3 of d_1']);
  });

  it('that is repeated does not keep those sent after it from being forgotten', () => {
    const s = start({ sessionRequests: 2 }).live();
    s.send('k1');
    s.send('k2');
    s.later(5);
    s.send('k1');
    s.later(5);
    s.wake('session', 1);
    expect(s.send('k3')).toEqual(['submit k3 of d_1']);
    expect(s.send('k4')).toEqual(['1 < ERROR overloaded k4']);
  });
});

describe('a receipt of the device', () => {
  it('READ delivers too, and names the last message most often', () => {
    const s = start().live();
    s.push(6);
    expect(s.receipt(6, 'READ')).toEqual(['push 1 settled', 'note DELIVERED c_1 #6', 'note READ c_1 #6']);
    expect(s.receipt(6, 'READ')).toEqual(['note READ c_1 #6']);
    // Of an older message only the store knows the seq.
    expect(s.receipt(2, 'READ')).toEqual(['note READ c_1 m_2']);
  });

  it('DELIVERED of what was not sent on this connection moves nothing', () => {
    const s = start().live();
    expect(s.receipt(9)).toEqual([]);
    expect(s.receipt(3)).toEqual([]);
  });

  it('of a chat that is not the user’s is refused', () => {
    const s = start().live();
    expect(
      s.say({ frame: 'RECEIPT', chatId: chatId('c_9'), serverMsgId: serverMsgId('m_1'), type: 'READ' }),
    ).toEqual(['1 < ERROR no_such_chat']);
  });
});
