import { describe, expect, it } from 'vitest';
import { deviceId, nodeId, userId } from '../../core/contract/ids.ts';
import { micros } from '../../core/contract/time.ts';
import { SessionRegistryModel } from './session-registry.ts';

const user = userId('u_1');
const entry = (epoch: number, gateway = 'gateway-0') => ({
  userId: user,
  deviceId: deviceId('d_1'),
  gatewayId: nodeId(gateway),
  epoch,
});
const now = micros;

describe('SessionRegistryModel', () => {
  it('fences an older epoch, names the holder it replaced, forgets who does not renew', () => {
    const registry = new SessionRegistryModel();
    expect(registry.claim(entry(2), 100, now(0), 0)).toMatchObject({ outcome: 'held', previous: undefined });
    expect(registry.claim(entry(1, 'gateway-1'), 100, now(1), 1)).toEqual({ outcome: 'fenced', epoch: 2 });
    const next = registry.claim(entry(3, 'gateway-1'), 100, now(2), 2);
    expect(next).toMatchObject({ outcome: 'held', previous: { epoch: 2, gatewayId: 'gateway-0' } });
    expect(registry.renew(entry(2), 100, now(3), 3)).toBe('fenced');
    expect(registry.lookUp(user, now(101), 101).sessions).toHaveLength(1);
    expect(registry.lookUp(user, now(102), 102).sessions).toHaveLength(0);
    expect(registry.renew(entry(3, 'gateway-1'), 100, now(103), 103)).toBe('recreated');
  });

  it('tells of presence: online while any lease lives, else when the last one ended', () => {
    const registry = new SessionRegistryModel();
    registry.claim(entry(1), 100, now(0), 0);
    expect(registry.presence(user, now(50))).toEqual({ userId: user, online: true, lastSeen: undefined });
    expect(registry.presence(user, now(100))).toEqual({ userId: user, online: false, lastSeen: 100 });
    registry.renew(entry(1), 100, now(110), 110);
    expect(registry.release(entry(9), now(120), 120)).toBe(false);
    expect(registry.release(entry(1), now(120), 120)).toBe(true);
    expect(registry.presence(user, now(130))).toEqual({ userId: user, online: false, lastSeen: 120 });
  });

  it('loses the last writes at a failover, while a copy of it still has them', () => {
    const registry = new SessionRegistryModel();
    registry.keepJournal();
    registry.claim(entry(1), 1_000, now(0), 0);
    registry.claim(entry(2, 'gateway-1'), 1_000, now(500), 500);
    const old = registry.copy();
    expect(registry.loseSince(400)).toBe(1);
    expect(registry.lookUp(user, now(600), 600).sessions).toMatchObject([
      { epoch: 1, gatewayId: 'gateway-0' },
    ]);
    expect(old.lookUp(user, now(600), 600).sessions).toMatchObject([{ epoch: 2 }]);
    registry.loseEverything(700);
    expect(registry.lookUp(user, now(800), 800).sessions).toEqual([]);
    // A replica that had not heard of that either.
    expect(registry.loseSince(700)).toBe(0);
    expect(registry.loseSince(650)).toBeGreaterThan(0);
    expect(registry.lookUp(user, now(800), 800).sessions).toMatchObject([
      { epoch: 1, gatewayId: 'gateway-0' },
    ]);
  });

  it('knows nothing of an evicted user, and everything of the others', () => {
    const registry = new SessionRegistryModel();
    const other = { ...entry(1), userId: userId('u_2') };
    for (const each of [entry(1), other]) registry.claim(each, 1_000, now(0), 0);
    registry.release(entry(1), now(5), 5);
    expect(registry.users()).toEqual([user, other.userId]);
    registry.evict(user, 10);
    expect(registry.presence(user, now(20))).toEqual({ userId: user, online: false, lastSeen: undefined });
    expect(registry.users()).toEqual([other.userId]);
    expect(registry.lookUp(other.userId, now(20), 20).sessions).toHaveLength(1);
  });

  it('reports a device that a push was given up for, once, at its next renewal', () => {
    const registry = new SessionRegistryModel();
    registry.claim(entry(1), 1_000, now(0), 0);
    registry.markMissed([entry(1), { userId: user, deviceId: deviceId('d_2') }], 1);
    expect(registry.renew(entry(1), 1_000, now(10), 10)).toBe('recreated');
    expect(registry.renew(entry(1), 1_000, now(20), 20)).toBe('renewed');
  });
});
