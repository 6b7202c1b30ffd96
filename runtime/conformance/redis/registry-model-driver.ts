import { connId, type UserId } from '../../../core/contract/ids.ts';
import { micros, SECOND } from '../../../core/contract/time.ts';
import type { DeliveryWorkerEvent } from '../../../core/delivery/delivery-event.ts';
import type { GatewayEvent } from '../../../core/session/gateway-event.ts';
import { carryOutRegistryCall, failedRegistryCall } from '../../../sim/world/registry-call.ts';
import type { RegistryCall } from '../../../sim/world/registry-node.ts';
import { SessionRegistryModel } from '../../../sim/world/session-registry.ts';
import type { SessionRegistry } from '../../ports/session-registry.ts';
import type { Driver, Observation } from '../script.ts';
import { countHints } from './count-hints.ts';
import { performLeaseStep, userOf } from './perform-lease-step.ts';
import type { Asker, FaultStep, RegistryStep } from './registry-step.ts';

/** What a call gets, beside an answer: nothing, and no effect; or nothing, and the effect later. */
type Condition = 'well' | 'away' | 'frozen';

/** The simulator's model of the session registry, with the faults that the simulator's registry node knows. */
export class RegistryModelDriver implements Driver<RegistryStep> {
  readonly #model = new SessionRegistryModel();
  /** What the old primary knows, after a failover. */
  #old: SessionRegistryModel | undefined;
  readonly #learned = new Set<Asker>();
  #now = 100_000 * SECOND;
  /** Numbers the writes, so that those after one can be lost. */
  #at = 0;
  /** The last write that is on disk, and that the replica has. */
  #saved = 0;
  #replicated: number | undefined;
  #condition: Condition = 'well';
  #isFull = false;
  #hintsAreCut = false;
  readonly #watched = new Set<UserId>();
  #hints: UserId[] = [];
  #frozen: (() => void)[] = [];

  constructor() {
    this.#model.keepJournal();
  }

  perform(step: RegistryStep): Observation | Promise<Observation> {
    switch (step.do) {
      case 'claim':
      case 'renew':
      case 'release':
      case 'presence':
        return performLeaseStep(this.#registry(step.by ?? 'gateway'), step, this.#clock);
      case 'look-up':
      case 'mark-missed':
        return performLeaseStep(this.#registry(step.by ?? 'worker'), step, this.#clock);
      case 'watch':
        this.#watched.add(userOf(step.user));
        return undefined;
      case 'unwatch':
        this.#watched.delete(userOf(step.user));
        return undefined;
      case 'hints': {
        const hints = this.#hints;
        this.#hints = [];
        return countHints(hints);
      }
      case 'cut-hints':
        this.#hintsAreCut = true;
        return undefined;
      case 'heal-hints':
        this.#hintsAreCut = false;
        return undefined;
      default:
        return this.#strike(step);
    }
  }

  close(): void {
    this.#frozen = [];
  }

  readonly #clock = (): Promise<number> => Promise.resolve(this.#now);

  #strike(step: FaultStep): Observation {
    switch (step.do) {
      case 'clock':
        this.#now += step.seconds * SECOND;
        break;
      case 'flush':
        this.#model.loseEverything();
        break;
      case 'snapshot':
        this.#saved = this.#at;
        break;
      case 'crash':
      case 'demote':
      case 'isolate':
        this.#condition = 'away';
        break;
      case 'start':
        this.#condition = 'well';
        this.#model.loseSince(this.#saved);
        break;
      case 'promote':
        this.#condition = 'well';
        break;
      case 'freeze':
        this.#condition = 'frozen';
        break;
      case 'thaw':
        this.#condition = 'well';
        for (const call of this.#frozen.splice(0)) call();
        break;
      case 'lag':
        this.#replicated = this.#at;
        break;
      case 'fail-over':
        this.#old = this.#model.copy();
        this.#model.loseSince(this.#replicated ?? this.#at);
        break;
      case 'learn':
        this.#learned.add(step.by);
        return { changed: true };
      case 'fill':
        this.#isFull = true;
        break;
      case 'free':
        this.#isFull = false;
        break;
      case 'evict':
        this.#model.evict(userOf(step.user));
        break;
      case 'kill-node':
        return { changed: true };
      case 'move-slot':
        return step.until === 'end' ? { changed: true } : undefined;
      case 'replicate':
      case 'lose-scripts':
      case 'cluster':
        break;
    }
    return undefined;
  }

  #call(asker: Asker, call: RegistryCall): object | undefined {
    this.#at++;
    if (this.#condition === 'away' || (this.#isFull && call.kind === 'claim'))
      return failedRegistryCall(call);
    const model = this.#old !== undefined && !this.#learned.has(asker) ? this.#old : this.#model;
    const at = this.#at;
    const carryOut = (): object | undefined =>
      carryOutRegistryCall(model, call, micros(this.#now), at, (userId) => {
        if (this.#watched.has(userId) && !this.#hintsAreCut) this.#hints.push(userId);
      });
    if (this.#condition === 'well') return carryOut();
    this.#frozen.push(carryOut);
    return failedRegistryCall(call);
  }

  /** The model behind the port, as one asker sees it. */
  #registry(asker: Asker): SessionRegistry {
    const ask = <Completion>(call: RegistryCall, done: (completion: Completion) => void): void => {
      const completion = this.#call(asker, call);
      if (completion !== undefined) queueMicrotask(() => done(completion as Completion));
    };
    const conn = connId(1);
    return {
      claim: (entry, ttl, done) =>
        ask<Of<'claimed'>>({ kind: 'claim', conn, entry, ttl }, ({ result }) => done(result)),
      renew: (entries, ttl, done) =>
        ask<Of<'renewed'>>({ kind: 'renew', conns: [], entries, ttl }, ({ outcomes }) => done(outcomes)),
      release: (entry) => ask({ kind: 'release', entry }, () => undefined),
      lookup: (users, done) =>
        ask<Of<'sessions'>>({ kind: 'lookup', call: 1, users }, (answered) => done(answered.users)),
      markMissed: (keys, done) =>
        ask<Of<'marked'>>({ kind: 'mark-missed', call: 1, keys }, ({ ok }) => done(ok)),
      readPresence: (users, done) =>
        ask<Of<'presence'>>({ kind: 'read-presence', users }, ({ readings }) => done(readings)),
      watchPresence: () => ({ watch: () => undefined, unwatch: () => undefined, close: () => undefined }),
      onChanged: () => () => undefined,
      ping: () => Promise.resolve(),
      close: () => undefined,
    };
  }
}

type Completion = GatewayEvent | DeliveryWorkerEvent;
type Of<Kind extends Completion['kind']> = Extract<Completion, { kind: Kind }>;
