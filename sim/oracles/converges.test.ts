import { describe, test } from 'vitest';
import { threeDevices } from './tale.ts';
import { expectRed, healed } from './testing/expect-red.ts';

describe('converges', () => {
  const NAME = 'converges';

  test('a send that is never answered', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1');
    expectRed(healed(tale), NAME, /d_1 of u_1 waits for the ACK of k_1 in c_1/);
  });

  test('a served device that never comes back', () => {
    expectRed(healed(threeDevices().live('d_2', false)), NAME, /d_2 of u_2 waits for a connection/);
  });

  test('a committed message that nobody was told of is not shown', () => {
    const tale = threeDevices().send('d_1', 'c_1', 'k_1').commit('d_1', 'c_1', 1, 'm_1');
    expectRed(healed(tale), NAME, /d_2 of u_2 waits for seq 1 of c_1 \(m_1\); it has shown up to seq 0/);
  });

  test('nobody waits but the system never rests', () => {
    expectRed(threeDevices().heal('d_1', 'd_2', 'd_3').end(false), NAME, /still busy/);
  });
});
