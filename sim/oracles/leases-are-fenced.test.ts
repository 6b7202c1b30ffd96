import { describe, expect, test } from 'vitest';
import { connId, deviceId, nodeId } from '../../core/contract/ids.ts';
import { type Tale, threeDevices } from './tale.ts';

const NAME = 'leases-are-fenced';
const AT = { gatewayId: nodeId('gateway-0'), conn: connId(2), deviceId: deviceId('d_2') } as const;

type Epoch = number | undefined;
const lease = (tale: Tale, by: number, before: Epoch, after: Epoch): Tale =>
  tale.tell({ kind: 'lease', deviceId: deviceId('d_2'), by, before, after });
const met = (tale: Tale, taken: boolean): Tale =>
  tale.tell({
    kind: 'push-met-older',
    gatewayId: AT.gatewayId,
    deviceId: AT.deviceId,
    named: 3,
    epoch: 2,
    taken,
  });

function expectRed(tale: Tale, observed: RegExp): void {
  const violation = tale.judged({ only: [NAME] });
  expect(violation?.oracle).toBe(NAME);
  expect(violation?.observed).toMatch(observed);
}

describe(NAME, () => {
  test('a device that moves, ends, is lost and comes back breaks no promise', () => {
    const tale = lease(threeDevices(), 2, undefined, 2);
    lease(tale, 3, 2, 3).tell({ kind: 'fenced', ...AT });
    lease(tale, 3, 3, undefined);
    // The registry lost what it held: an older epoch may be the newest that anybody knows.
    lease(tale, 2, undefined, 2).tell({ kind: 'fenced', ...AT, conn: connId(7) });
    expect(met(tale, false).judged({ only: [NAME] })).toBeUndefined();
  });

  test('a lease that goes back to an older epoch', () => {
    expectRed(lease(lease(threeDevices(), 3, 2, 3), 2, 3, 2), /holds epoch 2/);
  });

  test('a lease that somebody else gives up', () => {
    expectRed(lease(threeDevices(), 2, 3, undefined), /epoch 2 gives it up/);
  });

  test('a session that goes on although it was told of a newer one', () => {
    const fenced = (): Tale => threeDevices().tell({ kind: 'fenced', ...AT });
    expectRed(fenced().tell({ kind: 'fenced', ...AT }), /told so again/);
    expectRed(fenced().tell({ kind: 'welcomed', ...AT }), /WELCOME/);
    expectRed(fenced().push('d_2', 2, 'c_1', 1), /is sent seq 1 of c_1/);
    const elsewhere = fenced().tell({ kind: 'welcomed', ...AT, gatewayId: nodeId('gateway-1') });
    expect(elsewhere.judged({ only: [NAME] })).toBeUndefined();
  });

  test('a push that a session from before it takes', () => {
    expectRed(met(threeDevices(), true), /epoch 2 takes it/);
  });
});
