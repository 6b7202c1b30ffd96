import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { SECOND } from '../../core/contract/time.ts';
import { presenceBound } from './presence-converges.ts';
import { type Tale, threeDevices } from './tale.ts';
import { expectRed } from './testing/expect-red.ts';

describe('presence-converges', () => {
  const NAME = 'presence-converges';
  const watching = (): Tale => threeDevices().watch('d_1', 'c_1').presence('d_1', 'u_2', 'ONLINE');

  test('a ghost: the user is gone and stays ONLINE', () => {
    const tale = watching()
      .live('d_2', false)
      .live('d_3', false)
      .heal('d_1')
      .wait(presenceBound(DEFAULT_LIMITS));
    expectRed(tale.end(false), NAME, /shows u_2 ONLINE, who is OFFLINE/);
  });

  test('who is heard of for ever, and cannot be served, may be there', () => {
    const gone = watching().live('d_2', false).live('d_3', false).healBut(['d_3'], 'd_1');
    const tale = gone.wait(presenceBound(DEFAULT_LIMITS)).end();
    expect(tale.judged({ only: [NAME] })).toBeUndefined();
  });

  test('somebody is missing: the user is there and stays OFFLINE', () => {
    const tale = threeDevices()
      .watch('d_1', 'c_1')
      .heal('d_1', 'd_2', 'd_3')
      .wait(presenceBound(DEFAULT_LIMITS));
    expectRed(tale.end(), NAME, /shows u_2 OFFLINE, who is ONLINE/);
  });

  test('not yet overdue is not wrong', () => {
    const tale = watching().live('d_2', false).live('d_3', false).heal('d_1').end(false);
    expect(tale.judged({ only: [NAME] })).toBeUndefined();
  });

  test('a flap while a device is live', () => {
    const tale = watching().wait(presenceBound(DEFAULT_LIMITS)).live('d_2', false);
    expectRed(tale.presence('d_1', 'u_2', 'OFFLINE'), NAME, /shows u_2 OFFLINE, with no fault about/);
  });

  test('a flap at a handover shorter than the grace', () => {
    const tale = watching().live('d_2', false).live('d_3', false).wait(SECOND).live('d_3', true);
    expectRed(tale.presence('d_1', 'u_2', 'OFFLINE'), NAME, /with no fault about/);
  });

  test('OFFLINE before the grace is over', () => {
    const tale = watching().wait(SECOND).live('d_2', false).live('d_3', false).wait(SECOND);
    expectRed(tale.presence('d_1', 'u_2', 'OFFLINE'), NAME, /OFFLINE, with no fault about/);
  });

  test('OFFLINE after the grace, or on a screen that has just begun to watch, is no flap', () => {
    const gone = (tale: Tale): Tale => tale.live('d_2', false).live('d_3', false);
    const late = gone(watching())
      .wait(6 * SECOND)
      .presence('d_1', 'u_2', 'OFFLINE');
    expect(late.judged()).toBeUndefined();
    const again = gone(watching())
      .watch('d_1', 'c_1', false)
      .watch('d_1', 'c_1')
      .presence('d_1', 'u_2', 'OFFLINE');
    expect(again.judged()).toBeUndefined();
  });

  test('OFFLINE shortly after a fault is no flap', () => {
    const tale = watching().wait(presenceBound(DEFAULT_LIMITS)).fault(1).fault(0);
    expect(tale.presence('d_1', 'u_2', 'OFFLINE').judged()).toBeUndefined();
  });
});
