import { describe, expect, it } from 'vitest';
import { LATENCIES } from './latency-table.ts';
import { ANY_NODE, Network } from './network.ts';

const network = (seed = 1, onChanged?: () => void): Network =>
  new Network(seed, 10, 6, LATENCIES.region, onChanged);

describe('Network', () => {
  it('keeps messages of one stream in order, whatever latencies are drawn', () => {
    const net = network();
    let last = 0;
    for (let now = 0; now < 2_000; now += 3) {
      const arrival = net.arrival(1, 2, now);
      expect(arrival).toBeGreaterThan(last);
      expect(arrival).toBeGreaterThan(now);
      last = arrival;
    }
  });

  it('draws the latencies of one stream apart from those of others', () => {
    const [quiet, busy] = [network(), network()];
    for (let i = 0; i < 100; i++) busy.delay(3, 4);
    const delays = (net: Network): number[] => Array.from({ length: 20 }, () => net.delay(1, 2));
    expect(delays(busy)).toEqual(delays(quiet));
    expect(delays(network(2))).not.toEqual(delays(network(1)));
  });

  it('blocks one direction alone, by pair or by node, until every block is gone', () => {
    const net = network();
    const openPair = net.block(1, 2, 'lost');
    expect([net.state(1, 2), net.state(2, 1), net.state(1, 3)]).toEqual(['lost', 'open', 'open']);
    const openNode = net.block(1, ANY_NODE, 'held');
    expect([net.state(1, 2), net.state(1, 3), net.state(3, 1)]).toEqual(['lost', 'held', 'open']);
    openPair();
    expect(net.state(1, 2)).toBe('held');
    openNode();
    expect(net.state(1, 2)).toBe('open');
    expect(net.isTroubled).toBe(false);
  });

  it('tells of each change, and slows a way by the greatest factor', () => {
    let changes = 0;
    const net = network(1, () => changes++);
    net.block(ANY_NODE, 4, 'lost')();
    expect(changes).toBe(2);
    const fast = net.slowDown(1, 2, 5);
    const slow = net.slowDown(1, 2, 20);
    expect(net.slowness(1, 2)).toBe(20);
    slow();
    expect(net.slowness(1, 2)).toBe(5);
    fast();
    expect(net.slowness(1, 2)).toBe(1);
  });
});
