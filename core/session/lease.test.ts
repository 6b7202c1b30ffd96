import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceId, nodeId, userId } from '../contract/ids.ts';
import type { SessionEntry } from '../contract/records.ts';
import { micros } from '../contract/time.ts';
import {
  claimLease,
  isForgotten,
  type Lease,
  liveEntries,
  markMissed,
  overlookedEntries,
  releaseLease,
  renewLease,
} from './lease.ts';

const TTL = 100;
const at = micros;
const entry = (epoch: number, gateway = 'gw-1'): SessionEntry => ({
  userId: userId('u_1'),
  deviceId: deviceId('d_1'),
  gatewayId: nodeId(gateway),
  epoch,
});
const lease = (epoch: number, expiresAt: number, missed = false): Lease => ({
  ...entry(epoch),
  expiresAt: at(expiresAt),
  missed,
});

describe('a lease', () => {
  it('is claimed for a time, by whoever is not older than its holder', () => {
    const first = claimLease(undefined, entry(1), TTL, at(10));
    expect(first).toEqual({ lease: lease(1, 110), result: { outcome: 'held', previous: undefined } });
    // The same claim again, its first answer lost, replaces nobody.
    expect(claimLease(first.lease, entry(1), TTL, at(20))).toEqual({
      lease: lease(1, 120),
      result: { outcome: 'held', previous: undefined },
    });
    const older = claimLease(lease(5, 110), entry(4), TTL, at(20));
    expect(older).toEqual({ lease: lease(5, 110), result: { outcome: 'fenced', epoch: 5 } });
    // Also an expired entry fences, as long as it is remembered.
    expect(claimLease(lease(5, 10), entry(4), TTL, at(20)).result).toEqual({ outcome: 'fenced', epoch: 5 });
  });

  it('names the live holder it was taken from, so that one can be told to let go', () => {
    const taken = claimLease(lease(1, 110), entry(2, 'gw-2'), TTL, at(20));
    expect(taken.result).toEqual({ outcome: 'held', previous: lease(1, 110) });
    expect(taken.lease).toMatchObject({ gatewayId: 'gw-2', epoch: 2, expiresAt: 120 });
    // Dead to the microsecond at which it expires.
    expect(claimLease(lease(1, 110), entry(2), TTL, at(109)).result).toMatchObject({
      previous: { epoch: 1 },
    });
    expect(claimLease(lease(1, 110), entry(2), TTL, at(110)).result).toMatchObject({ previous: undefined });
  });

  it('is renewed quietly only while it is intact; anything else tells its holder to look again', () => {
    const outcome = (stored: Lease | undefined, now: number) =>
      renewLease(stored, entry(3), TTL, at(now)).outcome;
    expect(outcome(lease(3, 110), 109)).toBe('renewed');
    expect(outcome(lease(3, 110), 110)).toBe('recreated');
    expect(outcome(undefined, 50)).toBe('recreated');
    expect(outcome(lease(2, 110), 50)).toBe('recreated');
    expect(outcome(markMissed(lease(3, 110)), 50)).toBe('recreated');
    expect(outcome(lease(4, 110), 50)).toBe('fenced');
    expect(outcome(lease(4, 10), 50)).toBe('fenced');
    expect(renewLease(lease(4, 110), entry(3), TTL, at(50)).lease).toEqual(lease(4, 110));
    // Told once: the next renewal is quiet again.
    const told = renewLease(markMissed(lease(3, 110)), entry(3), TTL, at(50));
    expect(told.lease).toEqual(lease(3, 150));
    expect(renewLease(told.lease, entry(3), TTL, at(60)).outcome).toBe('renewed');
  });

  it('is remembered for a while after it ran out', () => {
    expect(isForgotten(lease(1, 50), 120, at(40))).toBe(false);
    expect(isForgotten(lease(1, 50), 120, at(169))).toBe(false);
    expect(isForgotten(lease(1, 50), 120, at(170))).toBe(true);
  });

  it('is given up by its own epoch only', () => {
    expect(releaseLease(lease(3, 110), 3)).toBe(true);
    expect(releaseLease(lease(4, 110), 3)).toBe(false);
    expect(releaseLease(lease(3, 110), 4)).toBe(false);
    expect(releaseLease(undefined, 3)).toBe(false);
  });

  it('is either found by a look-up or overlooked, and overlooked once', () => {
    const leases = [lease(1, 50), lease(2, 51), lease(3, 200), lease(4, 10, true)];
    expect(liveEntries(leases, at(50)).map((found) => found.epoch)).toEqual([2, 3]);
    expect(overlookedEntries(leases, at(50)).map((found) => found.epoch)).toEqual([1]);
  });

  it('never goes back to an older epoch, and has a single holder, whatever is claimed and renewed when', () => {
    const move = fc.record({
      kind: fc.constantFrom('claim', 'renew', 'release', 'miss'),
      epoch: fc.integer({ min: 1, max: 6 }),
      wait: fc.nat({ max: 150 }),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
        let stored: Lease | undefined;
        let now = 0;
        for (const { kind, epoch, wait } of moves) {
          now += wait;
          const before = stored;
          if (kind === 'claim') {
            const { lease: next, result } = claimLease(stored, entry(epoch), TTL, at(now));
            stored = next;
            expect(result.outcome === 'fenced').toBe(before !== undefined && before.epoch > epoch);
            if (result.outcome === 'held') expect(stored).toEqual(lease(epoch, now + TTL));
            else expect(stored).toBe(before);
          } else if (kind === 'renew') {
            const renewed = renewLease(stored, entry(epoch), TTL, at(now));
            stored = renewed.lease;
            if (renewed.outcome === 'renewed') {
              expect(before).toMatchObject({ epoch, missed: false });
              expect(before?.expiresAt).toBeGreaterThan(now);
            }
          } else if (kind === 'release' && releaseLease(stored, epoch)) {
            expect(stored?.epoch).toBe(epoch);
            stored = undefined;
          } else if (kind === 'miss' && stored !== undefined) stored = markMissed(stored);
          if (before !== undefined && stored !== undefined)
            expect(stored.epoch).toBeGreaterThanOrEqual(before.epoch);
        }
      }),
      { numRuns: 300 },
    );
  });
});
