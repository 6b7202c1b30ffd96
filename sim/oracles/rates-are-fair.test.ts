import { describe, expect, test } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import { type Tale, threeDevices } from './tale.ts';

const limits = { ...DEFAULT_LIMITS, deviceSendBurst: 2, deviceSendInterval: 100 * MILLISECOND };
const judged = (tale: Tale): string | undefined => {
  const violation = tale.judged({ limits, only: ['rates-are-fair'] });
  return violation === undefined ? undefined : `${violation.expected}; ${violation.observed}`;
};
/** The sends k_0, k_1, … of d_1, from number `first` on. */
const sends = (tale: Tale, kind: 'admitted' | 'refused', times = 1, first = 0, conn = 1): Tale => {
  for (let i = first; i < first + times; i++)
    tale.tell({
      kind,
      gatewayId: nodeId('gateway-0'),
      conn: connId(conn),
      deviceId: deviceId('d_1'),
      userId: userId('u_1'),
      clientMsgId: clientMsgId(`k_${i}`),
    });
  return tale;
};

test('a device within its rate, refused beyond it, silent and back in order breaks nothing', () => {
  const tale = sends(threeDevices(), 'admitted', 2);
  sends(tale, 'refused', 2)
    .tell({ kind: 'held-back', deviceId: deviceId('d_1'), span: SECOND })
    .wait(SECOND);
  sends(tale.tell({ kind: 'sent-on', deviceId: deviceId('d_1') }), 'admitted', 2);
  expect(judged(tale.sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2'))).toBeUndefined();
});

test('more than the rate is let through', () => {
  expect(judged(sends(threeDevices(), 'admitted', 3))).toMatch(/d_1 of u_1 sends another/);
});

test('a device that is slower than its rate is refused', () => {
  const tale = sends(threeDevices(), 'admitted', 2).wait(150 * MILLISECOND);
  expect(judged(sends(tale, 'refused'))).toMatch(/its SEND is refused/);
});

test('a send waits behind the one that was refused before it, and no longer', () => {
  const refused = (): Tale => sends(sends(threeDevices(), 'admitted', 2), 'refused', 2, 2).wait(SECOND);
  expect(judged(sends(refused(), 'refused', 1, 3))).toBeUndefined();
  const passed = sends(refused(), 'admitted', 1, 2).wait(SECOND);
  expect(judged(sends(passed, 'refused', 1, 3))).toMatch(/its SEND is refused/);
  expect(judged(sends(refused(), 'refused', 1, 2))).toMatch(/its SEND is refused/);
  // What waits on one connection is no reason on the next.
  expect(judged(sends(refused(), 'refused', 1, 3, 2))).toMatch(/its SEND is refused/);
});

test('a device that was asked to wait sends', () => {
  const tale = threeDevices().tell({ kind: 'held-back', deviceId: deviceId('d_1'), span: SECOND });
  expect(judged(tale.tell({ kind: 'sent-on', deviceId: deviceId('d_1') }))).toMatch(/it sends/);
});

test('a send is overtaken by a later one', () => {
  const tale = threeDevices().send('d_1', 'c_1', 'k_1').send('d_1', 'c_1', 'k_2');
  expect(judged(tale.commit('d_1', 'c_1', 1, 'm_2').commit('d_1', 'c_1', 2, 'm_1'))).toMatch(
    /k_1 before k_2; it gets seq 2/,
  );
});

describe('a device that asks again and again for what is missing', () => {
  /** Pauses in seconds; `gapPatience` is one. */
  const asks = (pauses: readonly number[], conn: (n: number) => number = () => 1): Tale =>
    pauses.reduce(
      (tale, pause, n) =>
        tale.wait(pause * SECOND).tell({
          kind: 'asked',
          deviceId: deviceId('d_1'),
          conn: connId(conn(n)),
          chatId: chatId('c_1'),
          afterSeq: 4,
        }),
      threeDevices(),
    );
  const evenly = Array.from({ length: 20 }, () => 1);

  test('does so ever less often, though its clock was set now and then', () => {
    expect(judged(asks([0, 1, 2, 4, 8, 0, 8, 0, 8, 0, 8]))).toBeUndefined();
  });

  test('does not, and is called too fast', () => {
    expect(judged(asks(evenly))).toMatch(/d_1 of u_1 asks for what follows seq 4 of c_1 at most 7 times/);
  });

  test('begins anew on each connection', () => {
    expect(judged(asks(evenly, (n) => n >> 2))).toBeUndefined();
  });
});

describe('a service that reads a chat for somebody', () => {
  const reads = (tale: Tale, user: string, times: number, pause = 0): Tale => {
    for (let i = 0; i < times; i++)
      tale.wait(pause).tell({
        kind: 'read-for',
        serviceId: nodeId('service-0'),
        userId: userId(user),
        chatId: chatId('c_1'),
      });
    return tale;
  };
  const few = { ...DEFAULT_LIMITS, strangerBurst: 2 };
  const judgedFew = (tale: Tale): string | undefined =>
    tale.judged({ limits: few, only: ['rates-are-fair'] })?.observed;

  test('who is in it: as often as it likes', () => {
    expect(judgedFew(reads(threeDevices(), 'u_1', 50))).toBeUndefined();
  });

  test('a stranger: some times at once, and then as often as he may', () => {
    const { strangerInterval } = few;
    expect(judgedFew(reads(reads(threeDevices(), 'u_9', 3), 'u_9', 10, strangerInterval))).toBeUndefined();
    expect(judgedFew(reads(threeDevices(), 'u_9', 4))).toBe('it reads c_1 once more');
    expect(judgedFew(reads(threeDevices(), 'u_9', 10, strangerInterval / 2))).toBe('it reads c_1 once more');
  });
});
