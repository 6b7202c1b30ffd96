import type { ChatId, UserId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import type { Dispatcher } from '../engine/engine.ts';
import { Engine } from '../engine/engine.ts';
import { StateHash } from '../engine/state-hash.ts';
import type { Judge } from '../oracles/judge.ts';
import type { Scenario } from '../scenario.ts';
import { Users } from '../workloads/users.ts';
import { ApiNode } from './api-node.ts';
import type { Connection } from './connection.ts';
import { DeliveryQueueNode, type QueueCall } from './delivery-queue.ts';
import { DeviceHost } from './device-host.ts';
import { DeviceLinks } from './device-links.ts';
import * as EVENT from './event-kind.ts';
import { EngineCalls } from './engine-calls.ts';
import { engineName, engineNames, topicName } from './engine-names.ts';
import { FaultBook } from './fault-book.ts';
import { GatewayHost } from './gateway-host.ts';
import { sampleGauges } from './gauges.ts';
import type { Host } from './host.ts';
import { LATENCIES } from './latency-table.ts';
import { LoadBalancer } from './load-balancer.ts';
import { Network } from './network.ts';
import { chatIdOf, deviceIdOf, userIdOf } from './plan-ids.ts';
import { Observers } from './observers.ts';
import type { PollStep } from './poll-ends.ts';
import { PollLinks } from './poll-links.ts';
import { Probes } from './probes.ts';
import { Regions } from './regions.ts';
import { type RegistryCall, RegistryNode } from './registry-node.ts';
import { RelayHost } from './relay-host.ts';
import { RequestRouter } from './request-router.ts';
import { ServiceHost } from './service-host.ts';
import type { StoreCall } from './store-call.ts';
import { StoreNode } from './store-node.ts';
import type { Timer } from './timer.ts';
import { WorkerHost } from './worker-host.ts';

const HINT = { kind: 'hint' } as const;
const MOST_PENDING = 4_000_000;

export interface WorldSetting {
  readonly scenario: Scenario;
  readonly limits: Limits;
  readonly judge: Judge | undefined;
  readonly maxEvents: number;
  readonly recentEvents: number;
  readonly hashEffects?: boolean;
}

/**
 * The simulated system: hosts of machines, models of engines, and the network between them, wired as the architecture
 * says. This file is the wiring: what is where, and which part an event of the engine is for.
 */
export class World implements Dispatcher {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly limits: Limits;
  readonly engine: Engine;
  /** Of what machines decide; undefined while nobody compares runs. */
  readonly effectHash: StateHash | undefined;
  readonly observers: Observers;
  readonly probes = new Probes();
  readonly regions: Regions;
  readonly network: Network;
  readonly links: DeviceLinks;
  readonly polls: PollLinks;
  readonly balancer: LoadBalancer;
  readonly router: RequestRouter;
  readonly calls: EngineCalls;
  /** One shard a region. */
  readonly stores: readonly StoreNode[];
  readonly registries: readonly RegistryNode[];
  /** By the region that produces, then by the home region of the recipients, whose workers consume. */
  readonly topics: readonly (readonly DeliveryQueueNode[])[];
  readonly api: ApiNode;
  readonly gateways: readonly GatewayHost[];
  readonly services: readonly ServiceHost[];
  readonly relays: readonly RelayHost[];
  readonly workers: readonly WorkerHost[];
  readonly devices: readonly DeviceHost[];
  /** Every host, by ascending index, behind the engines. */
  readonly hosts: readonly Host[];
  readonly chatIds: readonly ChatId[];
  /** Made once: maps compare texts that are not one and the same letter by letter. */
  readonly userIds: readonly UserId[];
  readonly faults: FaultBook;
  readonly users: Users;
  /** After this long a call whose answer was lost is given up by its caller's client library. Microseconds. */
  readonly callTimeout: number;
  /** Effects of the event under way; undefined while nobody traces. */
  traceEffects: unknown[] | undefined;
  readonly #pace: number;
  readonly #names = new Map<string, Host>();
  /** Engines come first among the nodes, then the hosts of the service, then the devices. */
  readonly engineNames: readonly string[];
  readonly #firstHost: number;
  readonly #topicsInOrder: readonly DeliveryQueueNode[];

  constructor(setting: WorldSetting) {
    const { scenario, limits } = setting;
    const { topology, knobs } = scenario;
    const { transports = ['websocket'] } = knobs;
    this.scenario = scenario;
    this.seed = scenario.seed;
    this.limits = limits;
    this.regions = new Regions(topology.regions ?? 1);
    this.callTimeout = Math.min(
      2 * SECOND,
      Math.max(20 * MILLISECOND, Math.floor(limits.requestTimeout / 4)),
    );
    this.#pace = Math.min(1, Math.max(0.01, limits.requestTimeout / DEFAULT_LIMITS.requestTimeout));
    this.engineNames = engineNames(topology);
    const engines = this.engineNames.length;
    const inside = engines + topology.gateways + topology.services + topology.relays + topology.workers;
    const nodes = inside + topology.devices;
    this.engine = new Engine(scenario.seed, nodes, {
      maxEvents: setting.maxEvents,
      maxPending: MOST_PENDING,
      recentEvents: setting.recentEvents,
    });
    this.effectHash = setting.hashEffects === true ? new StateHash() : undefined;
    this.observers = new Observers(this.engine, setting.judge);
    this.network = new Network(scenario.seed, nodes, inside, LATENCIES[knobs.network], () =>
      this.#onNetworkChanged(),
    );
    this.links = new DeviceLinks(this, knobs.wire);
    this.polls = new PollLinks(this, knobs.wire);
    this.#firstHost = engines;
    this.calls = new EngineCalls(this);
    const regions = Array.from({ length: this.regions.count }, (_, region) => region);
    const engine = (role: string, region: number): number =>
      this.engineNames.indexOf(engineName(role, region));
    this.stores = regions.map((region) => new StoreNode(this, engine('store', region)));
    this.registries = regions.map((region) => new RegistryNode(this, engine('registry', region)));
    this.api = new ApiNode(this, this.engineNames.indexOf('api'));
    let index = engines;
    const deal = <H extends Host>(count: number, make: (index: number, i: number) => H): H[] =>
      Array.from({ length: count }, (_, i) => {
        const host = make(index++, i);
        host.regionIndex = i % this.regions.count;
        return host;
      });
    this.userIds = Array.from({ length: topology.users }, (_, i) => userIdOf(i));
    this.gateways = deal(topology.gateways, (at, i) => new GatewayHost(this, at, `gateway-${i}`));
    this.services = deal(topology.services, (at, i) => new ServiceHost(this, at, `service-${i}`));
    this.relays = deal(topology.relays, (at, i) => new RelayHost(this, at, `relay-${i}`));
    this.workers = deal(topology.workers, (at, i) => new WorkerHost(this, at, `worker-${i}`));
    this.devices = deal(topology.devices, (at, i) => {
      const names = { userId: this.userIds[i % topology.users]!, deviceId: deviceIdOf(i) };
      return new DeviceHost(this, at, `device-${i}`, names, transports[i % transports.length]!);
    });
    this.hosts = [...this.gateways, ...this.services, ...this.relays, ...this.workers, ...this.devices];
    for (const host of this.hosts) this.#names.set(host.name, host);
    this.topics = regions.map((source) => regions.map((home) => this.#topic(source, home)));
    this.#topicsInOrder = this.topics.flat();
    this.balancer = new LoadBalancer(this, this.gateways);
    this.router = new RequestRouter(this, this.services);
    this.chatIds = topology.chats.map((_, i) => chatIdOf(i));
    this.faults = new FaultBook(this);
    this.users = new Users(this);
  }

  get store(): StoreNode {
    return this.stores[0]!;
  }

  get registry(): RegistryNode {
    return this.registries[0]!;
  }

  get queue(): DeliveryQueueNode {
    return this.topics[0]![0]!;
  }

  /** A topic has partitions of its own numbers, so that a worker can tell them apart. */
  #topic(source: number, home: number): DeliveryQueueNode {
    const { partitions } = this.scenario.topology;
    const index = this.engineNames.indexOf(topicName(source, home));
    const first = (source * this.regions.count + home) * partitions;
    const workers = this.workers.filter((worker) => worker.regionIndex === home);
    return new DeliveryQueueNode(this, index, first, partitions, workers);
  }

  /** The topic that a partition belongs to. */
  topicOf(partition: number): DeliveryQueueNode {
    return this.#topicsInOrder[Math.floor(partition / this.scenario.topology.partitions)]!;
  }

  /** The engine of a role that a fault names; the first region's when the topology has lost the other. */
  storeNamed(name: string): StoreNode {
    return this.stores.find(({ index }) => this.engineNames[index] === name) ?? this.store;
  }

  registryNamed(name: string): RegistryNode {
    return this.registries.find(({ index }) => this.engineNames[index] === name) ?? this.registry;
  }

  queueNamed(name: string): DeliveryQueueNode {
    return this.#topicsInOrder.find(({ index }) => this.engineNames[index] === name) ?? this.queue;
  }

  /** Unique over all shards. */
  claimInstance(region: number): number {
    return (this.stores[region]!.model.claimInstance() - 1) * this.regions.count + region + 1;
  }

  /** A consumer came, went or fell silent: every group may deal its partitions anew. */
  membershipMayChange(): void {
    for (const topic of this.#topicsInOrder) topic.membershipMayChange();
  }

  leaveGroups(worker: WorkerHost): void {
    for (const topic of this.#topicsInOrder) topic.group.left(worker);
  }

  pollAll(): void {
    for (const topic of this.#topicsInOrder) topic.pollAll();
  }

  /** A time constant of an engine or a load balancer, as much shorter as the limits of this run are. Microseconds. */
  paced(micros: number): number {
    return Math.ceil(micros * this.#pace);
  }

  hostNamed(name: string): Host | undefined {
    return this.#names.get(name);
  }

  /** Name of a node, for people. */
  nameOf(index: number): string {
    return this.engineNames[index] ?? this.hosts[index - this.engineNames.length]?.name ?? `node-${index}`;
  }

  /** Index of a node by name; undefined when the topology has none of that name. */
  indexOf(name: string): number | undefined {
    const engine = this.engineNames.indexOf(name);
    return engine >= 0 ? engine : this.#names.get(name)?.index;
  }

  // ---------------------------------------------------------------- sending

  /** An event for a host, `delay` from now, unless that host starts anew before. */
  tell(host: Host, event: object, delay: number): void {
    this.engine.schedule(delay, EVENT.STEP, host.index, host.incarnation, event, undefined);
  }

  /** The same, for the incarnation that asked. */
  tellIncarnation(host: Host, incarnation: number, event: object, delay: number): void {
    if (host.incarnation !== incarnation) return;
    this.engine.schedule(delay, EVENT.STEP, host.index, incarnation, event, undefined);
  }

  /** A message between two nodes of the service, in order. @returns false when it is lost: the way or the receiver is away. */
  sendInside(from: { readonly index: number; readonly name: string }, to: Host, event: object): boolean {
    if (!to.up) return false;
    if (this.network.isTroubled && this.network.state(from.index, to.index) !== 'open') {
      this.probes.hit('network.message.lost');
      return false;
    }
    const arrival = this.network.arrival(from.index, to.index, this.engine.now);
    this.engine.scheduleAt(arrival, EVENT.STEP, to.index, to.incarnation, event, from.name);
    return true;
  }

  /** The same, from an engine. */
  sendFromEngine(from: number, to: Host, event: object): void {
    if (this.network.state(from, to.index) !== 'open') return;
    const arrival = this.network.arrival(from, to.index, this.engine.now);
    this.engine.scheduleAt(arrival, EVENT.STEP, to.index, to.incarnation, event, this.engineNames[from]);
  }

  hintRelays(from: Host): void {
    for (const relay of this.relays) {
      if (relay.hinted || relay.regionIndex !== from.regionIndex) continue;
      relay.hinted = this.sendInside(from, relay, HINT);
    }
  }

  queueTimer(timer: Timer): void {
    timer.queuedAt = timer.due;
    timer.stamp++;
    this.engine.scheduleAt(timer.due, EVENT.TIMER, timer.host.index, timer.stamp, timer, undefined);
  }

  /** Something rare, later. */
  later(delay: number, index: number, act: () => void): void {
    this.engine.schedule(delay, EVENT.CALL, index, 0, act, undefined);
  }

  /** Called with the effects of every step, before they are carried out. */
  effected(effects: readonly unknown[]): void {
    this.effectHash?.mixData(effects);
    if (this.traceEffects !== undefined) this.traceEffects.push(...effects);
  }

  // ---------------------------------------------------------------- receiving

  dispatch(kind: number, target: number, detail: number, payload: unknown, context: unknown): boolean {
    switch (kind) {
      case EVENT.STEP:
      case EVENT.POLL_DOWN: {
        const host = this.hosts[target - this.#firstHost]!;
        if (host.up && host.incarnation === detail) host.receive(payload as object);
        return true;
      }
      case EVENT.TIMER:
        return this.#fire(payload as Timer, detail);
      case EVENT.UP:
        this.gateways[target - this.#firstHost]!.arrived(context as Connection, payload as never);
        return true;
      case EVENT.DOWN:
        (context as Connection).device.arrived(context as Connection, payload as never);
        return true;
      case EVENT.POLL_UP:
        this.gateways[target - this.#firstHost]!.arrivedPoll(payload as PollStep);
        return true;
      case EVENT.STORE:
        this.#storeAt(target).arrived(payload as StoreCall, context as Host, detail);
        return true;
      case EVENT.REGISTRY:
        this.#registryAt(target).arrived(payload as RegistryCall, context as Host, detail);
        return true;
      case EVENT.QUEUE:
        this.#topicAt(target).arrived(payload as QueueCall, context as Host, detail);
        return true;
      case EVENT.QUEUE_POLL:
        this.#topicAt(target).poll(detail);
        return true;
      default:
        this.#dispatchRare(kind, target, detail, payload);
        return true;
    }
  }

  #dispatchRare(kind: number, target: number, detail: number, payload: unknown): void {
    switch (kind) {
      case EVENT.CONNECT:
        this.gateways[target - this.#firstHost]!.accept(payload as Connection);
        return;
      case EVENT.STORE_LATE:
        this.#storeAt(target).takeEffectLate(payload as StoreCall);
        return;
      case EVENT.GROUP_CHECK:
        this.#topicAt(target).group.check(detail === 1);
        return;
      case EVENT.INBOX: {
        const host = this.hosts[target - this.#firstHost]!;
        if (host.incarnation === detail) host.takeFromInbox();
        return;
      }
      case EVENT.OP:
        this.users.perform(detail);
        return;
      case EVENT.FAULT_BEGIN:
        this.faults.begin(detail);
        return;
      case EVENT.FAULT_END:
        this.faults.end(detail);
        return;
      case EVENT.CALL:
        (payload as () => void)();
        return;
      case EVENT.SAMPLE:
        sampleGauges(this);
        this.engine.schedule(detail, EVENT.SAMPLE, target, detail, undefined, undefined);
        return;
      default:
        throw new Error(`event of unknown kind ${kind}`);
    }
  }

  #storeAt(index: number): StoreNode {
    return this.stores.length === 1 ? this.stores[0]! : this.stores.find((node) => node.index === index)!;
  }

  #registryAt(index: number): RegistryNode {
    return this.registries.length === 1
      ? this.registries[0]!
      : this.registries.find((node) => node.index === index)!;
  }

  #topicAt(index: number): DeliveryQueueNode {
    return this.#topicsInOrder.length === 1
      ? this.#topicsInOrder[0]!
      : this.#topicsInOrder.find((node) => node.index === index)!;
  }

  #fire(timer: Timer, stamp: number): boolean {
    const { host } = timer;
    if (timer.stamp !== stamp || timer.incarnation !== host.incarnation) return false;
    timer.queuedAt = Number.POSITIVE_INFINITY;
    if (!timer.armed || !host.up) return false;
    if (timer.due > this.engine.now) {
      this.queueTimer(timer);
      return false;
    }
    timer.armed = false;
    host.receive(timer.event);
    return true;
  }

  #onNetworkChanged(): void {
    this.links.release();
    this.polls.travel.release();
    this.pollAll();
    this.membershipMayChange();
  }
}
