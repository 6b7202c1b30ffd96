import { describe, expect, it } from 'vitest';
import { chat, mine, row, start } from './testing/gateway-under-test.ts';

describe('own messages', () => {
  it('that an ACK told of are not pushed to their sender, and the sequence goes on behind them', () => {
    const s = start().live();
    expect(s.send('k6')).toEqual(['submit k6 of d_1']);
    expect(s.ack('k6', 6)).toEqual(['1 < ACK k6 #6']);
    expect(s.push(7)).toEqual(['1 < MESSAGE c_1 #7 prev 6']);
  });

  // In a chat where both write, the ACK of the answer overtakes the push of what it answers.
  it('wait for what comes before them', () => {
    const s = start().live();
    expect(s.ack('k7', 7)).toEqual(['1 < ACK k7 #7']);
    expect(s.push(6)).toEqual(['1 < MESSAGE c_1 #6 prev 5']);
    expect(s.push(8)).toEqual(['1 < MESSAGE c_1 #8 prev 7']);
  });

  it('are left out of a page that was under way', () => {
    const s = start().live();
    s.push(7);
    s.ack('k8', 8);
    expect(s.fetchedRows([row(6), row(7), row(8, mine(1))], 8)).toEqual([
      '1 < MESSAGE c_1 #6 prev 5',
      '1 < MESSAGE c_1 #7 prev 6',
    ]);
    expect(s.push(9)).toEqual(['1 < MESSAGE c_1 #9 prev 8']);
  });

  it('are given back with their clientMsgId when the ACK was lost with an earlier connection', () => {
    const s = start().welcome([chat(5, 7)]);
    s.resume();
    expect(s.fetchedRows([row(6, mine(1)), row(7, mine(2))], 7)).toEqual([
      '1 < MESSAGE c_1 #6 prev 5 own k6',
      '1 < MESSAGE c_1 #7 prev 6',
      '1 < SYNCED c_1 7',
    ]);
  });

  // No receipt will ever name it, so a push of it would wait for one for ever.
  it('pushed all the same are settled by proof', () => {
    const s = start().live();
    s.ack('k6', 6);
    expect(s.push(6, mine(1))).toEqual(['1 < PING 1']);
    expect(s.say({ frame: 'PONG', t: 1 })).toEqual(['push 1 settled']);
  });

  it('go to the other devices of their sender', () => {
    const s = start().live(1, 1);
    s.live(2, 2);
    expect(s.push(6, mine(1), 2)).toEqual(['2 < MESSAGE c_1 #6 prev 5']);
  });
});
