import { deviceId, nodeId, userId, type UserId } from '../../../core/contract/ids.ts';
import type { SessionEntry } from '../../../core/contract/records.ts';
import { SECOND } from '../../../core/contract/time.ts';
import type { PresenceReading } from '../../../core/presence/presence-reading.ts';
import type { ClaimResult, LeaseKey } from '../../../core/session/lease.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import type { Observation } from '../script.ts';
import type { LeaseStep } from './registry-step.ts';

const TTL = 45 * SECOND;
const UNANSWERED = 'unanswered';

/**
 * Asks either side the same way, and shows what came.
 * @param now the registry's clock, microseconds.
 */
export async function performLeaseStep(
  registry: SessionRegistry,
  step: LeaseStep,
  now: () => Promise<number>,
): Promise<Observation> {
  switch (step.do) {
    case 'claim':
      return showClaim(
        await answer((done) => registry.claim(entryOf(step.device, step.epoch, step.at), TTL, done)),
      );
    case 'renew': {
      const entries = step.entries.map(([device, epoch]) => entryOf(device, epoch));
      const outcomes = await answer<readonly (string | undefined)[] | undefined>((done) =>
        registry.renew(entries, TTL, done),
      );
      return entries.map((_, i) => outcomes?.[i] ?? UNANSWERED);
    }
    case 'release':
      registry.release(entryOf(step.device, step.epoch));
      // It has no answer; a call behind it on the same connection has.
      await answer<unknown>((done) => registry.markMissed([{ ...keyOf('u999999.d1') }], done));
      return undefined;
    case 'look-up': {
      const users = step.users.map(userOf);
      const found = await answer<readonly ({ sessions: readonly SessionEntry[] } | undefined)[] | undefined>(
        (done) => registry.lookup(users, done),
      );
      return users.map((_, i) => found?.[i]?.sessions.map(showEntry).toSorted() ?? UNANSWERED);
    }
    case 'mark-missed':
      return answer<boolean>((done) => registry.markMissed(step.devices.map(keyOf), done));
    case 'presence': {
      const users = step.users.map(userOf);
      const readings = await answer<readonly PresenceReading[]>((done) => registry.readPresence(users, done));
      // Who does not answer cannot be asked for the time either.
      const at = readings.length === 0 ? 0 : await now();
      return users.map((user) =>
        showPresence(
          readings.find((reading) => reading.userId === user),
          at,
        ),
      );
    }
  }
}

function answer<Result>(ask: (done: (result: Result) => void) => void): Promise<Result> {
  return new Promise(ask);
}

/** @param name `u1` is user `u_1`. */
export function userOf(name: string): UserId {
  return userId(`u_${name.slice(1)}`);
}

function keyOf(name: string): LeaseKey {
  const [user = '', device = ''] = name.split('.');
  return { userId: userOf(user), deviceId: deviceId(`d_${device.slice(1)}`) };
}

function entryOf(name: string, epoch: number, at = `gateway-${name}`): SessionEntry {
  return { ...keyOf(name), gatewayId: nodeId(at), epoch };
}

function showEntry({ deviceId: device, epoch, gatewayId }: SessionEntry): string {
  return `${device} ${epoch} ${gatewayId}`;
}

function showClaim(result: ClaimResult): Observation {
  if (result.outcome === 'fenced') return `fenced by ${result.epoch}`;
  if (result.outcome === 'failed') return UNANSWERED;
  return result.previous === undefined ? 'held' : `held, from ${showEntry(result.previous)}`;
}

/** To five seconds: the clocks of both sides stand apart by what a step really takes. */
function showPresence(reading: PresenceReading | undefined, now: number): Observation {
  if (reading === undefined) return UNANSWERED;
  if (reading.online) return 'online';
  if (reading.lastSeen === undefined) return 'never seen';
  return `gone for ${Math.round((now - reading.lastSeen) / (5 * SECOND)) * 5} s`;
}
