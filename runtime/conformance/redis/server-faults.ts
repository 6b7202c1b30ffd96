import type { Redis } from 'ioredis';
import type { RedisServer } from '../../adapters/redis/testing/redis-server.ts';
import { startSwitchProxy, type SwitchProxy } from '../../adapters/redis/testing/switch-proxy.ts';
import { until } from '../../adapters/redis/testing/until.ts';
import { moveClock } from './move-clock.ts';
import { evictLongestAway, fillUp } from './memory-pressure.ts';
import type { RedisRig } from './redis-rig.ts';
import type { FaultStep } from './registry-step.ts';

/** A port that nobody listens on. */
const NOBODY = 1;

/** What scripts do to a single primary and its replica. */
export class ServerFaults {
  readonly #primary: RedisServer;
  readonly #spare: RedisServer;
  /** Carries what the replica hears. */
  #link: SwitchProxy | undefined;
  #failedOver = false;
  #frozen = false;

  constructor({ primary, spare }: RedisRig) {
    this.#primary = primary;
    this.#spare = spare;
  }

  /** In office. */
  get current(): RedisServer {
    return this.#failedOver ? this.#spare : this.#primary;
  }

  /** Every server whose data a moved clock concerns; a replica that follows hears of it. */
  async moveClock(seconds: number): Promise<void> {
    await moveClock(this.#primary.admin, seconds);
    if (this.#failedOver) await moveClock(this.#spare.admin, seconds);
  }

  async strike(step: FaultStep): Promise<void> {
    const { admin } = this.#primary;
    switch (step.do) {
      case 'flush':
        await this.current.admin.flushall();
        return;
      case 'crash':
        return this.#primary.signal('SIGKILL');
      case 'start':
        return this.#primary.restart();
      case 'snapshot':
        await admin.save();
        return;
      case 'freeze':
        this.#frozen = true;
        return this.#primary.signal('SIGSTOP');
      case 'thaw':
        return this.#thaw();
      case 'replicate':
        return this.#replicate();
      case 'lag':
        // What was written so far has arrived. WAIT is about the writes of its own connection.
        await admin.set('before-the-lag', '', 'PX', 1);
        await admin.wait(1, 5_000);
        this.#link?.mute(true);
        return;
      case 'fail-over':
        await this.#spare.admin.replicaof('NO', 'ONE');
        this.#failedOver = true;
        return;
      case 'demote':
        await admin.replicaof('127.0.0.1', NOBODY);
        return;
      case 'promote':
        await admin.replicaof('NO', 'ONE');
        return;
      case 'isolate':
        return this.#isolate();
      case 'fill':
        return fillUp(admin);
      case 'free':
        await admin.config('SET', 'maxmemory', '0');
        return;
      case 'evict':
        return evictLongestAway(admin, step.user);
      case 'lose-scripts':
        await admin.script('FLUSH');
        return;
      default:
        throw new Error(`${step.do} is for a cluster`);
    }
  }

  /** Two healthy servers without data, as at the start. */
  async undo(): Promise<void> {
    if (this.#frozen) await this.#primary.signal('SIGCONT');
    if (!(await answersSoon(this.#primary.admin))) await this.#primary.restart();
    for (const { admin } of [this.#primary, this.#spare]) {
      await admin.replicaof('NO', 'ONE');
      await admin.config(
        'SET',
        'maxmemory',
        '0',
        'maxmemory-policy',
        'noeviction',
        'min-replicas-to-write',
        '0',
      );
      await admin.acl('SETUSER', 'default', '+@all');
      await admin.flushall();
    }
    // What a snapshot wrote would come back with a later script's crash.
    await this.#primary.admin.save();
    await this.#link?.close();
  }

  /** What was asked meanwhile is done in its first moment; two answers later it is behind us. */
  async #thaw(): Promise<void> {
    await this.#primary.signal('SIGCONT');
    this.#frozen = false;
    for (let i = 0; i < 2; i++) await this.#primary.admin.ping();
  }

  async #replicate(): Promise<void> {
    this.#link = await startSwitchProxy(this.#primary.port);
    await this.#spare.admin.replicaof('127.0.0.1', this.#link.port);
    await until('the replica follows', async () =>
      (await this.#spare.admin.info('replication')).includes('master_link_status:up'),
    );
  }

  /** The replica is silent for longer than a primary writes without one. */
  async #isolate(): Promise<void> {
    const { admin } = this.#primary;
    await admin.config('SET', 'min-replicas-to-write', '1', 'min-replicas-max-lag', '1');
    this.#link?.mute(true);
    await until('the primary knows that it is alone', async () =>
      (await admin.info('replication')).includes('min_slaves_good_slaves:0'),
    );
  }
}

async function answersSoon(admin: Redis): Promise<boolean> {
  const silence = new Promise<boolean>((resolve) => setTimeout(resolve, 500, false));
  return Promise.race([admin.ping().then(() => true), silence]);
}
