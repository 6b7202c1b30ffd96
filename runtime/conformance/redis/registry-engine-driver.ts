import type { UserId } from '../../../core/contract/ids.ts';
import type { RedisServer } from '../../adapters/redis/testing/redis-server.ts';
import { until } from '../../adapters/redis/testing/until.ts';
import type { Driver, Observation } from '../script.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { countHints } from './count-hints.ts';
import { HintsUnderTest } from './hints-under-test.ts';
import { performLeaseStep, userOf } from './perform-lease-step.ts';
import type { RedisRig } from './redis-rig.ts';
import { openAsker, type RegistryAsker } from './registry-asker.ts';
import type { Asker, FaultStep, RegistryStep } from './registry-step.ts';
import { ServerFaults } from './server-faults.ts';

/** The adapter on real servers. */
export class RegistryEngineDriver implements Driver<RegistryStep> {
  readonly #rig: RedisRig;
  readonly #faults: ServerFaults;
  #cluster: ClusterFaults | undefined;
  #askers: Readonly<Record<Asker, RegistryAsker>>;
  #hints: HintsUnderTest;

  private constructor(rig: RedisRig, askers: Readonly<Record<Asker, RegistryAsker>>) {
    this.#rig = rig;
    this.#askers = askers;
    this.#faults = new ServerFaults(rig);
    this.#hints = new HintsUnderTest(askers.gateway, () => [this.#faults.current.admin]);
  }

  static async open(rig: RedisRig): Promise<RegistryEngineDriver> {
    const [gateway, worker] = await Promise.all([
      openAsker('gateway', rig.primary.port),
      openAsker('worker', rig.primary.port),
    ]);
    const driver = new RegistryEngineDriver(rig, { gateway, worker });
    await driver.#allAnswer();
    return driver;
  }

  async perform(step: RegistryStep): Promise<Observation> {
    switch (step.do) {
      case 'claim':
      case 'renew':
      case 'release':
      case 'presence':
        return performLeaseStep(this.#askers[step.by ?? 'gateway'].registry, step, this.#clock);
      case 'look-up':
      case 'mark-missed':
        return performLeaseStep(this.#askers[step.by ?? 'worker'].registry, step, this.#clock);
      case 'watch':
        return this.#hints.watch(userOf(step.user));
      case 'unwatch':
        return this.#hints.unwatch(userOf(step.user));
      case 'hints':
        return countHints(await this.#hints.take());
      case 'cut-hints':
        return this.#hints.cut();
      case 'heal-hints':
        return this.#hints.heal();
      default:
        return this.#strike(step);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#askers.gateway.close(), this.#askers.worker.close()]);
    await this.#faults.undo();
    await this.#cluster?.undo();
  }

  async #strike(step: FaultStep): Promise<Observation> {
    switch (step.do) {
      case 'cluster':
        return this.#openCluster();
      case 'move-slot': {
        const before = this.#changes();
        await this.#cluster?.moveSlot(userOf(step.user), step.until);
        return step.until === 'end' ? this.#changed(before, userOf(step.user)) : undefined;
      }
      case 'kill-node': {
        const before = this.#changes();
        await this.#cluster?.kill(userOf(step.user));
        return this.#changed(before, userOf(step.user));
      }
      case 'learn': {
        const asker = this.#askers[step.by];
        const before = asker.changes();
        asker.leadTo(this.#rig.spare.port);
        await until('another server is noticed', () => asker.changes() > before);
        await asker.answers();
        if (step.by === 'gateway') await this.#hints.settle(() => [this.#rig.spare.admin]);
        return { changed: true };
      }
      case 'clock':
        await (this.#cluster ?? this.#faults).moveClock(step.seconds);
        return undefined;
      case 'start':
      case 'promote':
        await this.#faults.strike(step);
        await this.#allAnswer();
        await this.#hints.settle();
        return undefined;
      default:
        await this.#faults.strike(step);
        if (step.do === 'crash') await this.#noneAnswers();
        return undefined;
    }
  }

  async #openCluster(): Promise<undefined> {
    const cluster = await this.#rig.cluster();
    await Promise.all([this.#askers.gateway.close(), this.#askers.worker.close()]);
    const [gateway, worker] = await Promise.all([
      openAsker('gateway', cluster.endpoint),
      openAsker('worker', cluster.endpoint),
    ]);
    this.#cluster = new ClusterFaults(cluster);
    this.#askers = { gateway, worker };
    this.#hints = new HintsUnderTest(gateway, () => this.#cluster?.admins ?? []);
    await this.#everyNodeAnswers();
    return undefined;
  }

  #changes(): number {
    return this.#askers.gateway.changes();
  }

  async #changed(before: number, user: UserId): Promise<Observation> {
    await until('another server is noticed', async () => {
      // Whoever asks for nobody there hears of nothing.
      await this.#asked(user);
      return this.#changes() > before;
    });
    await this.#everyNodeAnswers();
    return { changed: true };
  }

  #asked(user: UserId): Promise<boolean> {
    return new Promise((resolve) =>
      this.#askers.gateway.registry.lookup([user], (found) => resolve(found?.[0] !== undefined)),
    );
  }

  async #everyNodeAnswers(): Promise<void> {
    const users = Array.from({ length: 64 }, (_, i) => userOf(`u${i}`));
    for (const { registry } of Object.values(this.#askers)) {
      await until(
        'every node answers',
        () =>
          new Promise<boolean>((resolve) =>
            registry.readPresence(users, (readings) => resolve(readings.length === users.length)),
          ),
      );
    }
  }

  async #allAnswer(): Promise<void> {
    await Promise.all(Object.values(this.#askers).map((asker) => asker.answers()));
  }

  async #noneAnswers(): Promise<void> {
    for (const { registry } of Object.values(this.#askers)) {
      await until('the loss is noticed', () =>
        registry.ping().then(
          () => false,
          () => true,
        ),
      );
    }
  }

  readonly #clock = async (): Promise<number> => {
    const server: RedisServer = this.#faults.current;
    const [seconds, rest] = await server.admin.time();
    return Number(seconds) * 1_000_000 + Number(rest);
  };
}
