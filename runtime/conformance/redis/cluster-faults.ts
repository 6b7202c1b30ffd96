import type { Redis } from 'ioredis';
import type { UserId } from '../../../core/contract/ids.ts';
import type { RedisClusterUnderTest } from '../../adapters/redis/testing/redis-cluster.ts';
import type { RedisServer } from '../../adapters/redis/testing/redis-server.ts';
import { until } from '../../adapters/redis/testing/until.ts';
import { moveClock } from './move-clock.ts';

/** What scripts do to a cluster. */
export class ClusterFaults {
  readonly #servers: readonly RedisServer[];
  readonly #killed: RedisServer[] = [];

  constructor({ primaries, replicas }: RedisClusterUnderTest) {
    this.#servers = [...primaries, ...replicas];
  }

  get admins(): readonly Redis[] {
    return this.#alive().map(({ admin }) => admin);
  }

  async moveClock(seconds: number): Promise<void> {
    for (const { server } of await this.#owners()) await moveClock(server.admin, seconds);
  }

  /** To the next node, with what it holds. Until the end its old owner answers ASK for what it has given away. */
  async moveSlot(user: UserId, to: 'begin' | 'end'): Promise<void> {
    const slot = Number(await this.#any().call('CLUSTER', 'KEYSLOT', `{${user}}`));
    const owners = await this.#owners();
    const at = owners.findIndex(({ slots }) => slots.some(([from, last]) => from <= slot && slot <= last));
    const from = owners[at];
    const target = owners[(at + 1) % owners.length];
    if (from === undefined || target === undefined) throw new Error(`slot ${slot} has no owner`);
    await target.server.admin.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', from.id);
    await from.server.admin.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id);
    const keys = (await from.server.admin.call('CLUSTER', 'GETKEYSINSLOT', slot, 1_000)) as string[];
    if (keys.length > 0) {
      const address = ['127.0.0.1', target.server.port, ''] as const;
      await from.server.admin.call('MIGRATE', ...address, 0, 5_000, 'KEYS', ...keys);
    }
    if (to === 'begin') return;
    for (const { server } of [target, ...owners])
      await server.admin.call('CLUSTER', 'SETSLOT', slot, 'NODE', target.id);
  }

  /** Kills the owner of a user's slot once its replica has everything, and waits until the replica is elected. */
  async kill(user: UserId): Promise<void> {
    const slot = Number(await this.#any().call('CLUSTER', 'KEYSLOT', `{${user}}`));
    const owner = await this.#ownerOf(slot);
    // WAIT is about the writes of its own connection.
    await owner.server.admin.set(`{${user}}:last`, '', 'PX', 1);
    await owner.server.admin.wait(1, 5_000);
    this.#killed.push(owner.server);
    await owner.server.signal('SIGKILL');
    await until('the replica is elected', async () => {
      const now = await this.#ownerOf(slot).catch(() => undefined);
      return now !== undefined && now.id !== owner.id && (await this.#isWhole());
    });
  }

  async undo(): Promise<void> {
    for (const server of this.#killed) await server.restart();
    this.#killed.length = 0;
    await until('the cluster is whole', () => this.#isWhole());
    for (const { server } of await this.#owners()) await server.admin.flushall();
  }

  #alive(): readonly RedisServer[] {
    return this.#servers.filter((server) => !this.#killed.includes(server));
  }

  #any(): Redis {
    const [server] = this.#alive();
    if (server === undefined) throw new Error('every node was killed');
    return server.admin;
  }

  async #isWhole(): Promise<boolean> {
    for (const admin of this.admins)
      if (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) return false;
    return true;
  }

  async #ownerOf(slot: number): Promise<Owner> {
    const owners = await this.#owners();
    const owner = owners.find(({ slots }) => slots.some(([from, last]) => from <= slot && slot <= last));
    if (owner === undefined) throw new Error(`slot ${slot} has no owner`);
    return owner;
  }

  /** As a node that lives sees it. */
  async #owners(): Promise<readonly Owner[]> {
    const lines = String(await this.#any().call('CLUSTER', 'NODES'))
      .trim()
      .split('\n');
    const owners: Owner[] = [];
    for (const line of lines) {
      const [id = '', address = '', flags = '', , , , , , ...ranges] = line.split(' ');
      const port = Number(/:(\d+)/.exec(address)?.[1]);
      const server = this.#alive().find((each) => each.port === port);
      if (server === undefined || !flags.includes('master') || flags.includes('fail')) continue;
      const slots = ranges
        .filter((range) => !range.startsWith('['))
        .map((range) => range.split('-').map(Number))
        .map(([from = 0, last = from]) => [from, last] as const);
      owners.push({ id, server, slots });
    }
    return owners;
  }
}

interface Owner {
  readonly id: string;
  readonly server: RedisServer;
  readonly slots: readonly (readonly [number, number])[];
}
