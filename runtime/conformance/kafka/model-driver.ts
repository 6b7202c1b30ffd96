import { partitionOf, type Partition } from '../../../sim/world/delivery-log.ts';
import type { RelayHost } from '../../../sim/world/relay-host.ts';
import type { DeliveryWorkerEvent } from '../../../core/delivery/delivery-event.ts';
import { idleWorld, smallScenario } from '../../../sim/world/testing-world.ts';
import type { WorkerHost } from '../../../sim/world/worker-host.ts';
import type { World } from '../../../sim/world/world.ts';
import type { Driver, Observation } from '../script.ts';
import { Arrivals, MemberLog, type CommitCall } from './member-log.ts';
import { eventOf, sentOf } from './sent-event.ts';
import type { MemberName, PublishFault, QueueStep, Sent } from './queue-step.ts';

export const PARTITIONS = 4;

const SECOND = 1_000_000;
/** Longer than a session of the model lasts: whoever is silent is left out by then. */
const SETTLE = 3 * SECOND;

/** Long enough to hand out whatever somebody is there for, and less than a session of the model lasts. */
const SOON = 0.3 * SECOND;

const WORKERS: Readonly<Record<MemberName, number>> = { A: 0, B: 1, C: 2 };

/** A host whose machine is replaced by somebody who only notes what it is told. */
type Told = { handle(event: object): void };

/** The simulator's model of the delivery queue on the simulator's engine, with workers that note what they get. */
export class ModelDriver implements Driver<QueueStep> {
  readonly #world: World;
  readonly #arrivals = new Arrivals();
  readonly #members = new Map<MemberName, MemberLog>();
  readonly #thaws = new Map<MemberName, () => void>();
  /** Where the second broker's copy of a partition ends, once it lags behind. */
  readonly #replicated = new Map<number, number>();
  #outcome: string | undefined;
  #calls = 0;

  constructor() {
    this.#world = idleWorld(smallScenario({ topology: { workers: 3, partitions: PARTITIONS, relays: 1 } }));
    const relay = this.#relay;
    relay.start();
    (relay as unknown as Told).handle = (event) => {
      if ('outcome' in event) this.#outcome = String(event.outcome);
    };
    this.#settle();
  }

  perform(step: QueueStep): Observation {
    switch (step.do) {
      case 'publish':
        return this.#publish(step.events, step.fault);
      case 'transaction':
        this.#publish(step.events, undefined);
        for (const [user] of step.events) this.#partition(user).leaveHole();
        return undefined;
      case 'poison':
        this.#partition(step.user).leaveHole();
        return undefined;
      case 'look':
        this.#settle();
        return this.#arrivals.look(step.each, step.named ?? false);
      case 'look-prefixes':
        this.#settle();
        return this.#arrivals.arePrefixes(step.sent);
      case 'lag':
        this.#settle();
        return this.#world.queue.partitions.reduce((sum, { lag }) => sum + lag, 0);
      case 'rebalance':
        this.#world.queue.group.rebalance(true);
        return undefined;
      case 'move-commit':
        this.#partition(step.user).moveCommit(step.to === 'beyond-end' ? undefined : this.#offsetOf(step.to));
        return undefined;
      case 'expire':
        this.#partition(step.below[0]).expire(this.#offsetOf(step.below));
        return undefined;
      case 'restart':
        // What was acknowledged is there afterwards, and who was a member joins again.
        this.#world.queue.group.rebalance(false);
        return undefined;
      case 'move-leader':
        // Whoever leads, it is one log; that it moved is the producer's own affair.
        return undefined;
      case 'append-unreplicated':
        return this.#appendUnreplicated(step.events, step.waitsFor);
      case 'leader-dies':
        for (const [number, end] of this.#replicated) this.#world.queue.partitions[number]?.loseFrom(end);
        return undefined;
      case 'records':
        return this.#partition(step.user)
          .records.map(({ event }) => sentOf(event))
          .filter(([user]) => user === step.user)
          .map(([, seq]) => seq);
      case 'crash-just-now':
        this.#member({ do: 'crash', member: step.member });
        return undefined;
      case 'all-handed-already':
        this.#world.engine.runUntil(this.#world.engine.now + SOON, this.#world);
        return this.#arrivals.count === step.of;
      default:
        this.#member(step);
        this.#settle();
        return undefined;
    }
  }

  close(): void {
    // Nothing outlives the world.
  }

  #member(
    step: Exclude<Extract<QueueStep, { readonly member: MemberName }>, { readonly do: 'crash-just-now' }>,
  ): void {
    const { member } = step;
    const host = this.#world.workers[WORKERS[member]] as WorkerHost;
    const log = this.#members.get(member);
    switch (step.do) {
      case 'join':
        this.#join(member, host);
        return;
      case 'leave':
      case 'crash':
        host.stop(step.do === 'crash');
        if (step.do === 'leave') host.leaveGroups();
        this.#members.delete(member);
        return;
      case 'freeze':
        this.#thaws.set(member, host.pause());
        // What a paused host's peers notice is noticed by looking.
        this.#world.membershipMayChange();
        return;
      case 'thaw':
        log?.endAssignments();
        this.#thaws.get(member)?.();
        this.#world.membershipMayChange();
        return;
      case 'pause':
      case 'resume':
        host.consumptionPaused = step.do === 'pause';
        if (!host.consumptionPaused) this.#world.pollAll();
        return;
      case 'finish':
        this.#commit(host, log?.finish(step.count));
        return;
      case 'finish-stale':
        this.#commit(host, log?.finishStale());
        return;
      case 'finish-first-again':
        this.#commit(host, log?.finishFirstAgain());
    }
  }

  #join(member: MemberName, host: WorkerHost): void {
    const log = new MemberLog(member, this.#arrivals);
    this.#members.set(member, log);
    (host as unknown as Told).handle = (told) => {
      const event = told as DeliveryWorkerEvent;
      if (event.kind === 'assigned') log.assigned(event.partition, event.generation);
      else if (event.kind === 'revoked') log.revoked(event.partition);
      else if (event.kind === 'records') log.records(event.partition, event.generation, event.records);
    };
    host.start();
  }

  #commit(host: WorkerHost, calls: readonly CommitCall[] = []): void {
    for (const call of calls) this.#world.queue.call(host, { kind: 'commit', ...call });
  }

  #publish(events: readonly Sent[], fault: PublishFault | undefined): Observation {
    const { queue } = this.#world;
    const relay = this.#relay;
    const end = this.#begin(fault);
    this.#outcome = undefined;
    queue.call(relay, { kind: 'publish', call: ++this.#calls, events: events.map(eventOf) });
    // The request is there before the way is open again.
    for (let waited = 0; this.#outcome === undefined && waited < SETTLE; waited += SECOND / 10)
      this.#world.engine.runUntil(this.#world.engine.now + SECOND / 10, this.#world);
    end();
    return this.#outcome;
  }

  /** Who waits for the leader alone is told of success; who waits for both hears nothing in time. */
  #appendUnreplicated(events: readonly Sent[], waitsFor: 'leader' | 'both'): Observation {
    for (const [user] of events) {
      const { number, end } = this.#partition(user);
      if (!this.#replicated.has(number)) this.#replicated.set(number, end);
    }
    return this.#publish(events, waitsFor === 'leader' ? undefined : 'ack-lost');
  }

  /** Puts a fault in force. @returns what ends it. */
  #begin(fault: PublishFault | undefined): () => void {
    const { network, queue } = this.#world;
    const relay = this.#relay.index;
    switch (fault) {
      case 'request-lost':
        return network.block(relay, queue.index, 'lost');
      case 'ack-lost':
        return network.block(queue.index, relay, 'lost');
      case 'refused':
        return queue.failing.turnUp(1_000);
      case 'twice':
        return queue.duplicating.turnUp(1_000);
      case 'too-large':
        return queue.unknown.turnUp(1_000);
      case 'request-cut':
      case 'ack-cut':
      case undefined:
        // What the producer mends within its session nobody sees.
        return () => undefined;
    }
  }

  get #relay(): RelayHost {
    return this.#world.relays[0] as RelayHost;
  }

  #partition(user: number): Partition {
    return this.#world.queue.partitions[partitionOf(`u_${user}`, PARTITIONS)] as Partition;
  }

  #offsetOf(sent: Sent): number {
    const [user, seq] = sent;
    const offset = this.#partition(user).offsetOf(
      ({ recipient, item }) =>
        recipient === `u_${user}` && item.kind === 'message' && item.message.seq === seq,
    );
    if (offset === undefined) throw new Error(`event ${seq} to u_${user} is not there`);
    return offset;
  }

  #settle(): void {
    this.#world.engine.runUntil(this.#world.engine.now + SETTLE, this.#world);
  }
}
