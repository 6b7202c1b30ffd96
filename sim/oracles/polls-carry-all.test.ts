import { describe, expect, test } from 'vitest';
import { threeDevices } from './tale.ts';
import { expectRed, healed } from './testing/expect-red.ts';

describe('polls-carry-all', () => {
  const NAME = 'polls-carry-all';

  test('frames come once, in order, to their last, whatever comes twice on the way', () => {
    const tale = threeDevices()
      .polled('d_2', { acked: 0, after: 0, had: 0, heard: [1, 2] })
      .polled('d_2', { acked: 0, after: 0, had: 2, heard: [3] })
      .polled('d_2', { acked: 3, after: 3, had: 3, heard: [4], said: 4 });
    expect(healed(tale).judged()).toBeUndefined();
  });

  test('an answer begins behind what the device has not got', () => {
    const tale = threeDevices().polled('d_2', { acked: 0, after: 1, had: 0, heard: [] });
    expectRed(tale, NAME, /what lies between is gone/);
  });

  test('what was acknowledged is sent again', () => {
    const tale = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [1, 2] });
    expectRed(tale.polled('d_2', { acked: 2, after: 1, had: 2, heard: [] }), NAME, /begins behind frame 1/);
  });

  test('a frame is handed over twice, or left out', () => {
    const once = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [1, 2] });
    expectRed(once.polled('d_2', { acked: 0, after: 0, had: 2, heard: [2, 3] }), NAME, /is handed frame 2/);
    const tale = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [2] });
    expectRed(tale, NAME, /is handed frame 2/);
  });

  test('the end is told before the last frames', () => {
    const tale = threeDevices().polled('d_2', { acked: 0, after: 0, had: 0, heard: [1], said: 2 });
    expectRed(tale, NAME, /hears of it after 1/);
  });
});
