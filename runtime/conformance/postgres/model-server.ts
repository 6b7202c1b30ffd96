import type { ConnId } from '../../../core/contract/ids.ts';
import type { ReceiptRecord } from '../../../core/contract/records.ts';
import type { Host } from '../../../sim/world/host.ts';
import type { StoreCall } from '../../../sim/world/store-call.ts';
import type { StoreNode } from '../../../sim/world/store-node.ts';
import { idleWorld, smallScenario } from '../../../sim/world/testing-world.ts';
import type { World } from '../../../sim/world/world.ts';
import type { MediaRecord } from '../../ports/message-store.ts';
import { type Caller, CALLERS, type Fate } from './store-step.ts';

/** A call without the numbers by which its answer is told from others'. */
export type Question = StoreCall extends infer Call
  ? Call extends object
    ? Omit<Call, 'call' | 'conn'>
    : never
  : never;

/** What a call ended with; undefined for one that has no answer. */
export type Answered = (result: unknown) => void;

/** A write whose transaction is open: it waits for its COMMIT, or for the lock of one that does. */
interface OpenWrite {
  readonly caller: Caller;
  readonly question: Question;
  readonly fate: 'open' | 'behind';
  readonly done: Answered;
}

/** A host whose machine is replaced by somebody who only notes what it is told. */
type Told = { handle(event: object): void };

/** Longer than any way between two nodes of the model. */
const ARRIVAL = 1_000;
/** A write that comes out of nowhere does so when somebody says `release`, however long that takes. */
const LATE = 1_000_000_000;
/** Nobody waits for an answer any longer than this. */
const PATIENCE = 60_000_000;

const WHOLLY = 1_000;

/**
 * The store's node of the simulator, on the simulator's engine, with hosts around it that note what they are told. What
 * becomes of a call is decided by the same dials and cuts that the simulator's faults turn; the model of the store, the
 * lost answers and the late writes are the ones that a campaign runs with.
 */
export class ModelServer {
  readonly node: StoreNode;
  readonly media = new Map<string, MediaRecord>();
  /** The model does not keep the time of each receipt: gathered from its commits. */
  readonly receipts: ReceiptRecord[] = [];
  readonly #world: World;
  readonly #hosts: Readonly<Record<Caller, Host>>;
  readonly #waiting = new Map<string, Answered>();
  #open: OpenWrite[] = [];
  #calls = 0;

  constructor() {
    const world = idleWorld(smallScenario({ topology: { services: CALLERS.length } }));
    this.#world = world;
    this.node = world.store;
    this.node.zombieMicros = LATE;
    const host = (at: number): Host => {
      const service = world.services[at] as Host;
      service.start();
      (service as unknown as Told).handle = (event) => this.#told(event);
      return service;
    };
    this.#hosts = { s1: host(0), s2: host(1), hasty: host(2) };
    world.observers.watermarkSaved = (receipt) => void this.receipts.push(receipt);
  }

  /** Has a call carried out, with what befalls it on the way. */
  ask(caller: Caller, question: Question, fate: Fate | undefined, done: Answered): void {
    // In one transaction with its COMMIT, a write that is open takes place when that comes.
    if (fate === 'open' || fate === 'behind') this.#open.push({ caller, question, fate, done });
    else this.#send(caller, question, fate, done);
  }

  /** What is held arrives. */
  release(): void {
    for (const { caller, question, done } of this.#open.splice(0))
      this.#send(caller, question, undefined, done);
    this.#run(LATE + ARRIVAL);
  }

  /** Every session ends. Who waits for a lock learns that nothing happened; who waits for his COMMIT does not. */
  endSessions(): void {
    for (const { caller, question, fate, done } of this.#open.splice(0))
      this.#send(caller, question, fate === 'behind' ? 'refused' : 'lost-before', done);
  }

  /** Every connection is lost: nobody learns anything. */
  crash(): void {
    for (const { caller, question, done } of this.#open.splice(0))
      this.#send(caller, question, 'lost-before', done);
  }

  #send(caller: Caller, question: Question, fate: Fate | undefined, done: Answered): void {
    const host = this.#hosts[caller];
    const number = ++this.#calls;
    const call = { ...question, call: number, conn: number as ConnId } as StoreCall;
    const isAnswered = call.kind !== 'confirm-device';
    const key = keyOf(call);
    if (isAnswered) this.#waiting.set(key, done);
    const undo = this.#befall(host, fate);
    this.node.call(host, call);
    // Calls of one moment arrive in their order, as they do in a lane.
    this.#run(ARRIVAL);
    undo();
    if (!isAnswered) return;
    // Later in this turn of the loop at the earliest.
    queueMicrotask(() => {
      for (let waited = 0; this.#waiting.has(key) && waited < PATIENCE; waited += ARRIVAL) this.#run(ARRIVAL);
    });
  }

  /** @returns what undoes it when the call has arrived. */
  #befall(host: Host, fate: Fate | undefined): () => void {
    const { node } = this;
    const { network } = this.#world;
    switch (fate) {
      case 'lost-before':
        return network.block(host.index, node.index, 'lost');
      case 'mute':
        return network.block(node.index, host.index, 'lost');
      case 'lost-after':
      case 'killed':
      case 'waiting':
        node.unknownTakesEffect = true;
        return node.unknown.turnUp(WHOLLY);
      case 'late':
        return node.zombie.turnUp(WHOLLY);
      case 'refused':
        return node.failing.turnUp(WHOLLY);
      case 'open':
      case 'behind':
      case undefined:
        return () => {};
    }
  }

  #told(event: object): void {
    const { result } = event as { readonly result: unknown };
    const key = keyOf(event);
    const done = this.#waiting.get(key);
    this.#waiting.delete(key);
    queueMicrotask(() => done?.(result));
  }

  #run(micros: number): void {
    this.#world.engine.runUntil(this.#world.engine.now + micros, this.#world);
  }
}

/** What a call and its completion have in common. Heads are asked for by whoever wants to know, and told to all. */
function keyOf(named: object): string {
  const { call, conn } = named as { readonly call?: number; readonly conn?: number };
  const kind = (named as { readonly kind: string }).kind;
  if (kind === 'read-heads' || kind === 'heads') return 'heads';
  return String(call ?? conn);
}
