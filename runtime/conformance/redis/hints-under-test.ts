import type { Redis } from 'ioredis';
import type { UserId } from '../../../core/contract/ids.ts';
import { until } from '../../adapters/redis/testing/until.ts';
import { userOf } from './perform-lease-step.ts';
import type { RegistryAsker } from './registry-asker.ts';

/** Hinted at last: who waits for this one has seen every hint before. */
const LAST = userOf('u888888');

/** What one asker is hinted, made exact: subscriptions and hints take a moment, and scripts do not wait for moments. */
export class HintsUnderTest {
  readonly #asker: RegistryAsker;
  #admins: () => readonly Redis[];
  readonly #watched = new Set<UserId>();
  #isCut = false;

  constructor(asker: RegistryAsker, admins: () => readonly Redis[]) {
    this.#asker = asker;
    this.#admins = admins;
  }

  async watch(user: UserId): Promise<undefined> {
    for (const each of [LAST, user]) {
      if (this.#watched.has(each)) continue;
      this.#watched.add(each);
      this.#asker.watch.watch(each);
      await this.#subscribers(each, 1);
    }
    return undefined;
  }

  async unwatch(user: UserId): Promise<undefined> {
    this.#watched.delete(user);
    this.#asker.watch.unwatch(user);
    await this.#subscribers(user, 0);
    return undefined;
  }

  /** Waits until everything is subscribed to again, after the server was changed or restarted. */
  async settle(admins: () => readonly Redis[] = this.#admins): Promise<void> {
    this.#admins = admins;
    for (const user of this.#watched) await this.#subscribers(user, 1);
  }

  /** The hints since the last time. */
  async take(): Promise<readonly UserId[]> {
    const { hints, registry } = this.#asker;
    if (!this.#isCut && this.#watched.size > 0) {
      const last = { userId: LAST, deviceId: 'd_1', gatewayId: 'nowhere', epoch: 1 } as never;
      await new Promise((resolve) => registry.claim(last, 1_000_000, resolve));
      await until('the last hint arrives', () => hints.includes(LAST));
      registry.release(last);
      await until('the hint that it went arrives', () => hints.filter((user) => user === LAST).length === 2);
    }
    return hints.splice(0).filter((user) => user !== LAST);
  }

  async cut(): Promise<undefined> {
    for (const admin of this.#admins()) {
      await admin.acl('SETUSER', 'default', '-ssubscribe');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    }
    this.#isCut = true;
    for (const user of this.#watched) await this.#subscribers(user, 0);
    return undefined;
  }

  async heal(): Promise<undefined> {
    this.#isCut = false;
    for (const admin of this.#admins()) {
      await admin.acl('SETUSER', 'default', '+@all');
      const clients = String(await admin.call('CLIENT', 'LIST'));
      for (const [, id] of clients.matchAll(/^id=(\d+) .* name=gateway-hints /gm))
        await admin.call('CLIENT', 'KILL', 'ID', String(id));
    }
    await this.settle();
    return undefined;
  }

  #subscribers(user: UserId, count: number): Promise<void> {
    return until(`${count} subscribe to ${user}`, async () => {
      let found = 0;
      for (const admin of this.#admins()) {
        const reply = await admin.call('PUBSUB', 'SHARDNUMSUB', `parley:presence:{${user}}`);
        found += (reply as [string, number])[1];
      }
      return found === count;
    });
  }
}
