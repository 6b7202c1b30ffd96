import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { deviceId, nodeId, userId, type UserId } from '../../../../core/contract/ids.ts';
import type { SessionEntry } from '../../../../core/contract/records.ts';
import { SECOND } from '../../../../core/contract/time.ts';
import type { PresenceReading } from '../../../../core/presence/presence-reading.ts';
import type { ClaimResult, LeaseKey, RenewOutcome } from '../../../../core/session/lease.ts';
import type { SessionRegistry } from '../../../ports/session-registry.ts';

export interface RegistrySubject {
  readonly registry: SessionRegistry;
  /** Lets at least so many milliseconds pass on the registry's clock. */
  readonly later: (ms: number) => Promise<void>;
  /** Waits until hints of this user, who is watched, arrive from now on. */
  readonly watching: (user: UserId) => Promise<void>;
}

/** Long enough for a busy machine. */
export const LONG = 45 * SECOND;
/** Over before anybody looks, after `later(SHORT_MS)`. */
export const SHORT_MS = 20;
export const SHORT = SHORT_MS * 1_000;

/** A registry with promises for callbacks, and users that no other behaviour knows. */
export class RegistryUnderTest {
  readonly registry: SessionRegistry;
  readonly later: RegistrySubject['later'];
  readonly watching: RegistrySubject['watching'];
  readonly #run: number;
  #users = 0;

  constructor({ registry, later, watching }: RegistrySubject, run: number) {
    this.registry = registry;
    this.later = later;
    this.watching = watching;
    this.#run = run;
  }

  user(): UserId {
    return userId(`u_${this.#run}${String(++this.#users).padStart(4, '0')}`);
  }

  claim(entry: SessionEntry, ttl = LONG): Promise<ClaimResult> {
    return this.#answer((done) => this.registry.claim(entry, ttl, done));
  }

  renew(
    entries: readonly SessionEntry[],
    ttl = LONG,
  ): Promise<readonly (RenewOutcome | undefined)[] | undefined> {
    return this.#answer((done) => this.registry.renew(entries, ttl, done));
  }

  markMissed(...keys: LeaseKey[]): Promise<boolean> {
    return this.#answer((done) => this.registry.markMissed(keys, done));
  }

  /** `<device> <epoch> <gateway>` of each live session, sorted. */
  async sessions(user: UserId): Promise<readonly string[]> {
    return (await this.lookup([user]))[0] ?? [];
  }

  async lookup(users: readonly UserId[]): Promise<readonly (readonly string[])[]> {
    const found = await this.#answer<
      readonly ({ sessions: readonly SessionEntry[]; userId: UserId } | undefined)[] | undefined
    >((done) => this.registry.lookup(users, done));
    assert.ok(found !== undefined, 'the registry answers');
    assert.deepEqual(
      found.map((each) => each?.userId),
      users,
      'in the order asked',
    );
    return found.map((each) =>
      (each?.sessions ?? []).map((s) => `${s.deviceId} ${s.epoch} ${s.gatewayId}`).toSorted(),
    );
  }

  async presence(user: UserId): Promise<PresenceReading> {
    const readings = await this.#answer<readonly PresenceReading[]>((done) =>
      this.registry.readPresence([user], done),
    );
    const [reading] = readings;
    assert.ok(reading !== undefined && readings.length === 1);
    return reading;
  }

  /** Until `holds`, or an AssertionError that says what was expected. */
  async eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    for (let i = 0; i < 400; i++) {
      if (await holds()) return;
      await sleep(10);
    }
    assert.fail(`never: ${what}`);
  }

  async #answer<Result>(ask: (done: (result: Result) => void) => void): Promise<Result> {
    let returned = false;
    let early = false;
    const result = await new Promise<Result>((resolve) => {
      ask((answer) => {
        early = !returned;
        resolve(answer);
      });
      returned = true;
    });
    assert.equal(early, false, 'done is called after the call returned');
    return result;
  }
}

export function entryOf(user: UserId, device: number, epoch: number, gateway = `g${device}`): SessionEntry {
  return { userId: user, deviceId: deviceId(`d_${device}`), gatewayId: nodeId(gateway), epoch };
}
