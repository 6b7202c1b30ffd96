import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { ephemeralFrom, freeBase, takenOf } from './free-ports.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

function listen(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    open.push(server);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

/** Draws the numbers in turn, then the last one for ever. */
function drawn(...numbers: readonly number[]): () => number {
  let next = 0;
  return () => numbers[Math.min(next++, numbers.length - 1)] as number;
}

test('a port somebody has is named', async () => {
  const port = await listen(0);
  expect(await takenOf([port])).toEqual([port]);
});

test('a base is passed over when any of its ports is taken, not only the first', async () => {
  const portsOf = (base: number): number[] => [base, base + 11, base + 10_031];
  const options = { portsOf, step: 100 };
  const first = await freeBase({ ...options, random: drawn(0.3) });
  await listen(first + 10_031);
  const second = await freeBase({ ...options, random: drawn(0.3, 0.6) });
  expect(second).toBeGreaterThan(first);
});

test('all ports lie below those that the system gives to outgoing connections', async () => {
  const portsOf = (base: number): number[] => [base, base + 10_000];
  const base = await freeBase({ portsOf, step: 1, random: drawn(0.999_999) });
  expect(base + 10_000).toBeLessThan(ephemeralFrom());
});

test('it does not look for ever', async () => {
  const portsOf = (base: number): number[] => [base];
  const random = drawn(0.7);
  await listen(await freeBase({ portsOf, step: 100, random }));
  await expect(freeBase({ portsOf, step: 100, random })).rejects.toThrow('no ports are free');
});
