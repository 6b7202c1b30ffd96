import { describe, expect, test } from 'vitest';
import { type Tale, threeDevices } from './tale.ts';
import { everywhere, expectRed } from './testing/expect-red.ts';

describe('cursors-never-regress', () => {
  const NAME = 'cursors-never-regress';
  const two = (): Tale => threeDevices().sent('c_1', 1, 'm_1').sent('c_1', 2, 'm_2');

  test('a stored cursor goes back', () => {
    const tale = everywhere(everywhere(two(), 1), 2).cursor('d_2', 'c_1', 2).cursor('d_2', 'c_1', 1);
    expectRed(tale, NAME, /seq 1 is saved/);
  });

  test('a stored cursor runs ahead of what the device shows', () => {
    expectRed(two().push('d_2', 2, 'c_1', 1).cursor('d_2', 'c_1', 1), NAME, /seq 1 is saved/);
  });

  test('a new device starts at 0 instead of the head', () => {
    expectRed(two().device('d_5', 'u_2', false).cursor('d_5', 'c_1', 0), NAME, /at seq 0/);
  });

  test('a new device is told another start than the stored one', () => {
    const tale = two().device('d_5', 'u_2', false).cursor('d_5', 'c_1', 2).start('d_5', 'c_1', 1);
    expectRed(tale, NAME, /it starts at seq 1/);
  });

  test('a device resumes ahead of what it shows', () => {
    expectRed(two().resume('d_2', 7, [['c_1', 1]]), NAME, /it resumes at seq 1/);
  });

  test('what follows a resume leaves out a seq', () => {
    expectRed(
      two()
        .resume('d_2', 7, [['c_1', 0]])
        .push('d_2', 7, 'c_1', 2),
      NAME,
      /leaves out seq 1 of c_1/,
    );
  });

  test('a later frame leaves out a seq', () => {
    const tale = two().sent('c_1', 3, 'm_3').push('d_2', 2, 'c_1', 1).push('d_2', 2, 'c_1', 3);
    expectRed(tale, NAME, /leaves out seq 2 of c_1/);
  });

  test('a frame names the wrong predecessor', () => {
    expectRed(two().push('d_2', 2, 'c_1', 1).push('d_2', 2, 'c_1', 2, 0), NAME, /follows seq 0/);
  });

  test('a message before RESUME', () => {
    expectRed(two().push('d_2', 77, 'c_1', 1), NAME, /sends seq 1/);
  });

  test('an own message may be left out: its ACK says as much', () => {
    const tale = two().push('d_1', 1, 'c_1', 2, 1);
    expect(tale.judged()).toBeUndefined();
    expectRed(two().push('d_2', 2, 'c_1', 2, 1), NAME, /leaves out seq 1/);
  });

  test('the newest connection is told that it was replaced', () => {
    expectRed(two().opened('d_2', 5).opened('d_2', 6).replaced('d_2', 6), NAME, /told that it was replaced/);
    expect(two().opened('d_2', 5).opened('d_2', 6).replaced('d_2', 5).judged()).toBeUndefined();
  });

  test('a repeated frame is no skip', () => {
    const tale = two().push('d_2', 2, 'c_1', 1).push('d_2', 2, 'c_1', 2).push('d_2', 2, 'c_1', 1);
    expect(tale.judged()).toBeUndefined();
  });
});
