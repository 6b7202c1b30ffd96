import { connId, type UserId } from '../../../core/contract/ids.ts';
import { SECOND } from '../../../core/contract/time.ts';
import type { DeliveryWorkerEvent } from '../../../core/delivery/delivery-event.ts';
import type { GatewayEvent } from '../../../core/session/gateway-event.ts';
import type { Host } from '../../../sim/world/host.ts';
import type { RegistryCall, RegistryNode } from '../../../sim/world/registry-node.ts';
import { idleWorld, smallScenario } from '../../../sim/world/testing-world.ts';
import type { World } from '../../../sim/world/world.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import type { Driver, Observation } from '../script.ts';
import { countHints } from './count-hints.ts';
import { performLeaseStep, userOf } from './perform-lease-step.ts';
import type { Asker, FaultStep, RegistryStep } from './registry-step.ts';

type Completion = GatewayEvent | DeliveryWorkerEvent;
type Of<Kind extends Completion['kind']> = Extract<Completion, { kind: Kind }>;

/** A host whose machine is replaced by somebody who only notes what it is told. */
type Told = { handle(event: Completion): void };

/** Longer than a message of the model is on its way, and nothing to a lease. */
const SOON = SECOND / 100;
/** At a failover: who is early has learned by then, who is late not before. The first may not be long after the second. */
const EARLY = 5 * SECOND;
const LATE = 8 * SECOND;
const MOST_KEYS = 100_000;

/**
 * The simulator's registry node on the simulator's engine, with gateways and workers that note what they are told; its faults
 * are the dials that the simulator's own faults turn. An asker who has not learned of a failover is a host that learns late,
 * one who has is a host that has learned early.
 */
export class RegistryModelDriver implements Driver<RegistryStep> {
  readonly #world: World;
  readonly #registry: RegistryNode;
  readonly #learned = new Set<Asker>();
  readonly #told = new Map<Host, Completion[]>();
  /** What the registry's clock shows at each step. */
  #now = 100_000 * SECOND;
  /** True time up to which everything is on disk, and has reached the replica. */
  #saved: number | undefined;
  #replicated: number | undefined;
  #ends: (() => void)[] = [];
  #full: (() => void) | undefined;
  #cut: (() => void) | undefined;
  #hints: UserId[] = [];

  constructor() {
    this.#world = idleWorld(smallScenario());
    this.#registry = this.#world.registry;
    this.#registry.model.keepJournal();
    for (const host of [...this.#world.gateways, ...this.#world.workers]) {
      this.#told.set(host, []);
      (host as unknown as Told).handle = (event) => this.#hear(host, event);
      host.start();
    }
    this.#pass(SOON);
  }

  perform(step: RegistryStep): Observation | Promise<Observation> {
    switch (step.do) {
      case 'claim':
      case 'renew':
      case 'release':
      case 'presence':
        return performLeaseStep(this.#port(step.by ?? 'gateway'), step, this.#clock);
      case 'look-up':
      case 'mark-missed':
        return performLeaseStep(this.#port(step.by ?? 'worker'), step, this.#clock);
      case 'watch':
        for (const gateway of this.#world.gateways) this.#registry.watch(userOf(step.user), gateway);
        return undefined;
      case 'unwatch':
        for (const gateway of this.#world.gateways) this.#registry.unwatch(userOf(step.user), gateway);
        return undefined;
      case 'hints':
        return this.#takeHints();
      case 'cut-hints':
        this.#cut = this.#registry.hintsDropped.turnUp(1_000);
        return undefined;
      case 'heal-hints':
        this.#cut?.();
        return undefined;
      default:
        return this.#strike(step);
    }
  }

  close(): void {
    // Nothing outlives the world.
  }

  readonly #clock = (): Promise<number> => Promise.resolve(this.#now);

  #strike(step: FaultStep): Observation {
    const { engine } = this.#world;
    switch (step.do) {
      case 'clock':
        this.#now += step.seconds * SECOND;
        return undefined;
      case 'flush':
        this.#registry.model.loseEverything(engine.now);
        return undefined;
      case 'snapshot':
        this.#saved = this.#moment();
        return undefined;
      case 'crash':
      case 'demote':
      case 'isolate':
        this.#block('to');
        return undefined;
      case 'start':
        this.#open();
        // What it comes back with is what a replica had that heard of nothing since.
        this.#failOver(this.#saved, 0, 0);
        return undefined;
      case 'freeze':
        this.#block('from');
        return undefined;
      case 'promote':
      case 'thaw':
        this.#open();
        return undefined;
      case 'lag':
        this.#replicated = this.#moment();
        return undefined;
      case 'fail-over': {
        const { longestStale } = this.#registry;
        this.#failOver(this.#replicated ?? engine.now, longestStale, this.#keyOfOrder());
        return undefined;
      }
      case 'learn':
        return this.#learn(step.by);
      case 'fill':
        this.#full = this.#registry.full.turnUp(1);
        return undefined;
      case 'free':
        this.#full?.();
        return undefined;
      case 'evict':
        this.#registry.model.evict(userOf(step.user), engine.now);
        return undefined;
      case 'kill-node':
        return this.#changed(() => this.#failOver(engine.now, 0, 0));
      case 'move-slot':
        return step.until === 'end' ? this.#changed(() => this.#failOver(engine.now, 0, 0)) : undefined;
      case 'replicate':
      case 'lose-scripts':
      case 'cluster':
        return undefined;
    }
  }

  /** @param upTo true time of the last write that survives; undefined: none does. */
  #failOver(upTo: number | undefined, learnMicros: number, key: number): void {
    const { now } = this.#world.engine;
    this.#registry.failOver(upTo === undefined ? now + 1 : now - upTo, learnMicros, key);
    // Not before somebody asks: a script's first look after a failover must find those who are late still late.
    if (learnMicros === 0) this.#pass(SOON);
  }

  /** A key of the failover's draws with which the first gateway and worker learn early, the second ones late. */
  #keyOfOrder(): number {
    const { gateways, workers, engine } = this.#world;
    for (let key = 0; key < MOST_KEYS; key++) {
      const times = this.#registry.learningTimes(this.#registry.longestStale, key);
      const isInOrder = ([early, late]: readonly Host[]): boolean => {
        const [first, second] = [early, late].map((host) => (times.get(host?.index ?? -1) ?? 0) - engine.now);
        return (
          first !== undefined && first > SECOND && first < EARLY && second !== undefined && second > LATE
        );
      };
      if (isInOrder(gateways) && isInOrder(workers)) return key;
    }
    throw new Error('no draw has the order that a script needs');
  }

  #learn(by: Asker): Observation {
    if (this.#learned.size === 0) this.#pass(EARLY);
    this.#learned.add(by);
    // A worker asks anew each time: nobody has to tell it.
    return { changed: by === 'worker' || this.#heardOfChange(0) };
  }

  #changed(act: () => void): Observation {
    const from = this.#told.get(this.#host('gateway'))?.length ?? 0;
    act();
    this.#pass(SOON);
    return { changed: this.#heardOfChange(from) };
  }

  #heardOfChange(from: number): boolean {
    const told = this.#told.get(this.#host('gateway')) ?? [];
    return told.slice(from).some(({ kind }) => kind === 'registry-changed');
  }

  #takeHints(): Observation {
    this.#pass(SOON);
    const hints = this.#hints;
    this.#hints = [];
    return countHints(hints);
  }

  /** `to`: nothing arrives. `from`: what arrives is done, and its answer comes to nobody. */
  #block(direction: 'to' | 'from'): void {
    const { network, gateways, workers } = this.#world;
    for (const { index } of [...gateways, ...workers])
      this.#ends.push(
        direction === 'to'
          ? network.block(index, this.#registry.index, 'lost')
          : network.block(this.#registry.index, index, 'lost'),
      );
  }

  #open(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Now, with nothing under way: later writes are later. */
  #moment(): number {
    this.#pass(SOON);
    return this.#world.engine.now;
  }

  #host(asker: Asker): Host {
    const hosts: readonly Host[] = asker === 'gateway' ? this.#world.gateways : this.#world.workers;
    return hosts[this.#learned.has(asker) ? 0 : 1] as Host;
  }

  #hear(host: Host, event: Completion): void {
    this.#told.get(host)?.push(event);
    if (event.kind === 'presence-hint' && host === this.#host('gateway')) this.#hints.push(event.userId);
  }

  #pass(micros: number): void {
    const { engine } = this.#world;
    engine.runUntil(engine.now + micros, this.#world);
  }

  /** @returns what the asker is told; undefined for what has no answer. */
  #ask<Kind extends Completion['kind']>(
    asker: Asker,
    call: RegistryCall,
    kind: Kind | undefined,
  ): Of<Kind> | undefined {
    const { engine, callTimeout } = this.#world;
    const { clock } = this.#registry;
    // However long the step before took: the clock of a script stands still.
    clock.step(this.#now - clock.read(engine.now));
    const host = this.#host(asker);
    const told = this.#told.get(host) ?? [];
    const from = told.length;
    this.#registry.call(host, call);
    const answer = (): Completion | undefined => told.slice(from).find((each) => each.kind === kind);
    const latest = engine.now + callTimeout + SOON;
    do this.#pass(SOON);
    while (kind !== undefined && answer() === undefined && engine.now < latest);
    return answer() as Of<Kind> | undefined;
  }

  /** The node behind the port, as one asker sees it. */
  #port(asker: Asker): SessionRegistry {
    const conn = connId(1);
    const ask = <Kind extends Completion['kind']>(
      call: RegistryCall,
      kind: Kind,
      done: (completion: Of<Kind>) => void,
    ): void => {
      const completion = this.#ask(asker, call, kind);
      if (completion === undefined) throw new Error(`${call.kind} was never answered, not even as failed`);
      queueMicrotask(() => done(completion));
    };
    return {
      claim: (entry, ttl, done) =>
        ask({ kind: 'claim', conn, entry, ttl }, 'claimed', ({ result }) => done(result)),
      renew: (entries, ttl, done) =>
        ask({ kind: 'renew', conns: [], entries, ttl }, 'renewed', ({ outcomes }) => done(outcomes)),
      release: (entry) => void this.#ask(asker, { kind: 'release', entry }, undefined),
      lookup: (users, done) =>
        ask({ kind: 'lookup', call: 1, users }, 'sessions', (answered) => done(answered.users)),
      markMissed: (keys, done) => ask({ kind: 'mark-missed', call: 1, keys }, 'marked', ({ ok }) => done(ok)),
      readPresence: (users, done) =>
        ask({ kind: 'read-presence', users }, 'presence', ({ readings }) => done(readings)),
      watchPresence: () => ({ watch: () => undefined, unwatch: () => undefined, close: () => undefined }),
      onChanged: () => () => undefined,
      ping: () => Promise.resolve(),
      close: () => undefined,
    };
  }
}
