import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { type Micros, micros, MINUTE, SECOND } from '../contract/time.ts';
import { choosePath, missed, newPath, reached, type TransportChoice } from './transport.ts';

/** A device whose attempts all take a second; each is answered by WELCOME or ends before it. */
function attempts(choice: TransportChoice) {
  const path = newPath(choice);
  let now: Micros = micros(1);
  return {
    pass: (span: number) => {
      now = micros(now + span);
    },
    /** @returns the first letters of the transports of so many attempts in vain. */
    inVain: (count: number, status?: number): string => {
      let tried = '';
      for (let i = 0; i < count; i++) {
        tried += choosePath(path, DEFAULT_LIMITS, now).slice(0, 1);
        now = micros(now + 1 * SECOND);
        missed(path, DEFAULT_LIMITS, status, now);
      }
      return tried;
    },
    reach: (): string => {
      const transport = choosePath(path, DEFAULT_LIMITS, now);
      reached(path);
      return transport;
    },
  };
}

describe('the way of a device', () => {
  it('is a poll after two WebSockets in vain, and while polls are in vain as well both in turn', () => {
    const device = attempts('auto');
    expect(device.inVain(9)).toBe('wwpwpwpwp');
    expect(device.reach()).toBe('websocket');
    expect(device.inVain(3)).toBe('wwp');
  });

  it('stays a poll once one got through, until a WebSocket is due again', () => {
    const device = attempts('auto');
    expect(device.inVain(2)).toBe('ww');
    expect(device.reach()).toBe('poll');
    device.pass(50 * SECOND);
    expect(device.reach()).toBe('poll');
    device.pass(1 * MINUTE);
    expect(device.reach()).toBe('websocket');
  });

  it('is not doubted for a server that is busy', () => {
    expect(attempts('auto').inVain(5, 503)).toBe('wwwww');
  });

  it('is the one that was asked for, if it was one', () => {
    expect(attempts('websocket').inVain(4)).toBe('wwww');
    expect(attempts('poll').inVain(4)).toBe('pppp');
  });
});
