import type { UserId } from '../../core/contract/ids.ts';
import { hashText, keyedInt } from '../../core/contract/random.ts';
import type { DeliveryWorkerEffect } from '../../core/delivery/delivery-effect.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import { REGISTRY } from './event-kind.ts';
import { FaultDial } from './fault-dial.ts';
import type { GatewayHost } from './gateway-host.ts';
import type { Host } from './host.ts';
import { NodeClock } from './node-clock.ts';
import { carryOutRegistryCall, failedRegistryCall, type Hint, type LeaseWatch } from './registry-call.ts';
import { SessionRegistryModel } from './session-registry.ts';
import type { World } from './world.ts';

const HINT_STREAM = 0x6869_6e74;
const LATE_STREAM = 0x6c61_7465;
const LEARN_STREAM = 0x6c65_6172;
const LOST_STREAM = 0x6c6f_7374;
const EVICT_STREAM = 0x6576_6963;
const QUEUED_STREAM = 0x7175_6575;

export type RegistryCall =
  | Extract<GatewayEffect, { kind: 'claim' | 'renew' | 'release' | 'read-presence' }>
  | Extract<DeliveryWorkerEffect, { kind: 'lookup' | 'mark-missed' }>;

/** A primary that lost its office and does not know it; who still asks it gets old answers, and what it writes is lost. */
interface OldPrimary {
  readonly model: SessionRegistryModel;
  /** Until when each host asks it, by host index; the others have learned. */
  readonly until: ReadonlyMap<number, number>;
}

/** The session registry as a node: the model behind a network, with a clock of its own, and what can happen to it. */
export class RegistryNode {
  readonly index: number;
  readonly clock = new NodeClock();
  readonly model = new SessionRegistryModel();
  /** Calls that are not answered, per mille. */
  readonly failing = new FaultDial();
  /** Up to so many microseconds are added to each call, so that calls overtake each other. */
  readonly slowness = new FaultDial();
  /** Above 0: memory is used up and nothing may be evicted. Who is registered goes on, nobody new is. */
  readonly full = new FaultDial();
  /**
   * Up to so many microseconds pass before a call is carried out: those of one node stay in order behind each other, those
   * of two overtake one another.
   */
  readonly backlog = new FaultDial();
  /** Presence hints that vanish, per mille. */
  readonly hintsDropped = new FaultDial();
  readonly #world: World;
  readonly #watchers = new Map<UserId, Set<GatewayHost>>();
  readonly #oldPrimaries: OldPrimary[] = [];
  /** When the last call of a host that had to wait is carried out, by host index. */
  readonly #queuedUntil = new Map<number, number>();
  #queuedCalls = 0;
  #calls = 0;
  #hints = 0;

  constructor(world: World, index: number) {
    this.#world = world;
    this.index = index;
  }

  call(host: Host, call: RegistryCall): void {
    const { network, engine } = this.#world;
    if (network.isTroubled && network.state(host.index, this.index) !== 'open') {
      this.#fail(host, host.incarnation, call, this.#world.callTimeout);
      return;
    }
    const delay = network.delay(host.index, this.index);
    const arrival = this.backlog.value === 0 ? engine.now + delay : this.#queued(host, engine.now + delay);
    engine.scheduleAt(arrival, REGISTRY, this.index, host.incarnation, call, host);
  }

  #queued(host: Host, earliest: number): number {
    const late = keyedInt(this.#world.seed, QUEUED_STREAM, this.#queuedCalls++, this.backlog.value + 1);
    const arrival = Math.max(earliest + late, (this.#queuedUntil.get(host.index) ?? 0) + 1);
    this.#queuedUntil.set(host.index, arrival);
    return arrival;
  }

  arrived(call: RegistryCall, host: Host, incarnation: number): void {
    const { network, engine, probes, seed } = this.#world;
    const key = this.#calls++;
    const fails = this.failing.value > 0 && keyedInt(seed, LEARN_STREAM, ~key, 1_000) < this.failing.value;
    // Half of the calls that are not answered were carried out all the same: a timeout is no failure.
    const isLost = fails && keyedInt(seed, LOST_STREAM, key, 2) === 0;
    if (fails && !isLost) {
      probes.hit('registry.failed');
      this.#fail(host, incarnation, call, network.delay(this.index, host.index));
      return;
    }
    if (this.full.value > 0 && call.kind === 'claim') {
      probes.hit('registry.full');
      this.#fail(host, incarnation, call, network.delay(this.index, host.index));
      return;
    }
    const model = this.#primaryFor(host);
    const now = this.clock.read(engine.now);
    const completion = carryOutRegistryCall(model, call, now, engine.now, this.#hint, this.#watch);
    if (completion === undefined) return;
    if (isLost) {
      probes.hit('registry.answer.lost');
      this.#fail(host, incarnation, call, network.delay(this.index, host.index));
      return;
    }
    if (network.isTroubled && network.state(this.index, host.index) !== 'open') {
      probes.hit('registry.answer.lost');
      this.#fail(host, incarnation, call, this.#world.callTimeout);
      return;
    }
    const late = this.slowness.value === 0 ? 0 : keyedInt(seed, LATE_STREAM, key, this.slowness.value + 1);
    const delay = network.delay(this.index, host.index) + late;
    this.#complete(host, incarnation, call, completion, delay);
  }

  /**
   * An old primary answers no longer than this: one that lost its replicas refuses by itself after a while (Redis:
   * `min-replicas-max-lag`). It must be over before a lease that was alive at the failover runs out there, or a look-up
   * finds nobody where somebody renews elsewhere. Two renewals may have been lost.
   */
  get longestStale(): number {
    const { leaseTtl, leaseRenew } = this.#world.limits;
    return Math.max(0, leaseTtl - 2 * leaseRenew);
  }

  /**
   * A replica takes over that had not heard of the last `lostMicros`. Every host goes on asking the old primary until it
   * learns, at a time of its own within `learnMicros`.
   */
  failOver(lostMicros: number, learnMicros: number, key: number): void {
    const { engine, probes } = this.#world;
    const until = this.learningTimes(learnMicros, key);
    this.#oldPrimaries.push({ model: this.model.copy(), until });
    for (const gateway of this.#world.gateways) {
      const learned = until.get(gateway.index)! - engine.now;
      this.#world.tell(gateway, { kind: 'registry-changed' }, learned + 1);
    }
    if (this.model.loseSince(engine.now - lostMicros) > 0) probes.hit('registry.failover.lost-writes');
  }

  /** Until when each host, by its index, would go on asking the old primary if the registry failed over now. */
  learningTimes(learnMicros: number, key: number): ReadonlyMap<number, number> {
    const { engine, seed, hosts } = this.#world;
    const range = Math.min(learnMicros, this.longestStale) + 1;
    return new Map(
      hosts.map(({ index }) => [
        index,
        engine.now + keyedInt(seed, LEARN_STREAM, key * 65_536 + index, range),
      ]),
    );
  }

  /** Memory is used up, and entries vanish: those of each user with this chance, also when they are alive. @param key of the draws. */
  evict(perMille: number, key: number): void {
    const { engine, seed, probes } = this.#world;
    for (const userId of this.model.users()) {
      if (keyedInt(seed, EVICT_STREAM + key, hashText(userId), 1_000) >= perMille) continue;
      this.model.evict(userId, engine.now);
      probes.hit('registry.evicted');
    }
  }

  watch(userId: UserId, gateway: GatewayHost): void {
    const watchers = this.#watchers.get(userId);
    if (watchers === undefined) this.#watchers.set(userId, new Set([gateway]));
    else watchers.add(gateway);
  }

  unwatch(userId: UserId, gateway: GatewayHost): void {
    this.#watchers.get(userId)?.delete(gateway);
  }

  #primaryFor(host: Host): SessionRegistryModel {
    if (this.#oldPrimaries.length === 0) return this.model;
    for (const old of this.#oldPrimaries) {
      const until = old.until.get(host.index);
      if (until !== undefined && this.#world.engine.now < until) {
        this.#world.probes.hit('registry.old-primary.asked');
        return old.model;
      }
    }
    return this.model;
  }

  #fail(host: Host, incarnation: number, call: RegistryCall, delay: number): void {
    const completion = failedRegistryCall(call);
    if (completion !== undefined) this.#complete(host, incarnation, call, completion, delay);
  }

  #complete(host: Host, incarnation: number, call: RegistryCall, completion: object, delay: number): void {
    if (this.#world.calls.takePart(call, host, completion, delay)) return;
    this.#world.tellIncarnation(host, incarnation, completion, delay);
  }

  readonly #watch: LeaseWatch = (entry, before, after) =>
    this.#world.observers.lease(entry.deviceId, entry.epoch, before, after);

  readonly #hint: Hint = (userId) => {
    const watchers = this.#watchers.get(userId);
    if (watchers === undefined) return;
    const { network, seed, probes } = this.#world;
    for (const gateway of watchers) {
      const fate = keyedInt(seed, HINT_STREAM, this.#hints++, 1_000);
      if (fate < this.hintsDropped.value) probes.hit('registry.hint.dropped');
      else if (network.state(this.index, gateway.index) === 'open') {
        const delay = network.delay(this.index, gateway.index);
        this.#world.tell(gateway, { kind: 'presence-hint', userId }, delay);
      }
    }
  };
}
