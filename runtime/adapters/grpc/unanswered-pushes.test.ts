import { describe, expect, it } from 'vitest';
import { nodeId } from '../../../core/contract/ids.ts';
import { UnansweredPushes } from './unanswered-pushes.ts';

const ONE = nodeId('all-1.1/worker');
const TWO = nodeId('all-1.1/other');

describe('pushes without an answer', () => {
  it('are told apart by worker, answered once, and counted', () => {
    const pushes = new UnansweredPushes();
    pushes.add(ONE, 1);
    pushes.add(ONE, 1);
    pushes.add(TWO, 1);
    expect(pushes.size).toBe(2);
    expect([pushes.answered(ONE, 1), pushes.answered(ONE, 1), pushes.answered(ONE, 2)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(pushes.takeAll()).toEqual([{ worker: TWO, pushId: 1 }]);
    expect(pushes.size).toBe(0);
  });

  it('are remembered for one whole turn, and all of them are taken out, oldest first', () => {
    const pushes = new UnansweredPushes();
    pushes.add(ONE, 1);
    pushes.add(ONE, 2);
    pushes.turn();
    pushes.add(ONE, 3);
    expect(pushes.answered(ONE, 2)).toBe(true);
    expect(pushes.takeAll().map(({ pushId }) => pushId)).toEqual([1, 3]);
  });

  it('are forgotten at the second turn', () => {
    const pushes = new UnansweredPushes();
    pushes.add(ONE, 1);
    pushes.turn();
    pushes.add(ONE, 2);
    pushes.turn();
    expect(pushes.size).toBe(1);
    expect(pushes.answered(ONE, 1)).toBe(false);
    pushes.turn();
    expect(pushes.size).toBe(0);
    expect(pushes.takeAll()).toEqual([]);
  });
});
