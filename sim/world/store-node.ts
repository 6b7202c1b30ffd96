import type { OutboxRow } from '../../core/contract/records.ts';
import { keyedHash, keyedInt } from '../../core/contract/random.ts';
import { SECOND } from '../../core/contract/time.ts';
import { CALL, STORE, STORE_LATE } from './event-kind.ts';
import { FaultDial } from './fault-dial.ts';
import type { Host } from './host.ts';
import { drawLatency } from './latency-table.ts';
import { MessageStoreModel } from './message-store.ts';
import { carryOut, failedCall, isWrite, type StoreCall } from './store-call.ts';
import type { World } from './world.ts';

const SERVICE_STREAM = 0x7374_6f72;
const SLOW_STREAM = 0x7374_736c;
const TROUBLE_STREAM = 0x7374_7472;
const LATE_STREAM = 0x7374_6c61;
/** However slow it is made: no client waits longer for one answer. */
const LONGEST_WORK = 60 * SECOND;

/** Longest time after which a write of unknown outcome may still take effect. Microseconds. */
const ZOMBIE_MICROS = 2 * SECOND;

/**
 * The message store as a node: the model behind a network, with a time for each call and with everything that can go
 * wrong between "sent" and "answered". The dials are per mille of the calls, but for the two that say microseconds.
 */
export class StoreNode {
  readonly index: number;
  readonly model: MessageStoreModel;
  /** Writes whose outcome the caller never learns: applied or not. */
  readonly unknown = new FaultDial();
  /** Writes reported `unknown` that take effect later, when nobody waits for them any more. */
  readonly zombie = new FaultDial();
  /** Calls refused without effect. 1,000: the store is down. */
  readonly failing = new FaultDial();
  /** Up to how many times as long a call takes. */
  readonly slowness = new FaultDial();
  /** Outbox rows become visible up to this many microseconds after their commit. */
  readonly outboxDelay = new FaultDial();
  /** Not a share of the calls: while it is up, what messages say is dropped as soon as they are committed. */
  readonly retention = new FaultDial();
  /** Whether writes of unknown outcome take effect, and when those do that come late; undefined: drawn, for each anew. */
  unknownTakesEffect: boolean | undefined;
  zombieMicros: number | undefined;
  readonly #world: World;
  #calls = 0;

  constructor(world: World, index: number) {
    this.#world = world;
    this.index = index;
    const { observers, limits } = world;
    this.model = new MessageStoreModel(
      observers,
      limits.receiptMembers,
      (row) => this.outboxDelay.value > 0 && this.#hide(row),
    );
  }

  /** What all messages say is dropped now, and of later ones until the end. @returns what ends it. */
  dropContents(): () => void {
    this.model.dropContents();
    const end = this.retention.turnUp(1);
    this.model.keepsNothing = true;
    return () => {
      end();
      this.model.keepsNothing = this.retention.value > 0;
    };
  }

  /** A host sends a call. It is answered exactly once, if the host lives to see it. */
  call(host: Host, call: StoreCall): void {
    const { network, engine, probes } = this.#world;
    if (network.isTroubled && network.state(host.index, this.index) !== 'open') {
      probes.hit('store.request.lost');
      this.#timeOut(host, host.incarnation, call);
      return;
    }
    engine.schedule(network.delay(host.index, this.index), STORE, this.index, host.incarnation, call, host);
  }

  /** A call arrives. */
  arrived(call: StoreCall, host: Host, incarnation: number): void {
    const key = this.#calls++;
    if (this.#isHealthy()) {
      this.#answer(host, incarnation, call, carryOut(this.model, call), key);
      return;
    }
    const fate = keyedInt(this.#world.seed, TROUBLE_STREAM, key, 1_000);
    if (fate < this.failing.value) {
      this.#world.probes.hit('store.failed');
      this.#answer(host, incarnation, call, failedCall(call, 'failed'), key);
    } else if (isWrite(call) && fate < this.unknown.value) {
      const applied = this.unknownTakesEffect ?? keyedHash(this.#world.seed, TROUBLE_STREAM, ~key) % 2 === 0;
      if (applied) carryOut(this.model, call);
      this.#world.probes.hit(applied ? 'store.unknown.applied' : 'store.unknown.void');
      this.#answer(host, incarnation, call, failedCall(call, 'unknown'), key);
    } else if (isWrite(call) && fate < this.zombie.value) {
      const later =
        this.zombieMicros ??
        1 + keyedInt(this.#world.seed, LATE_STREAM, key, this.#world.paced(ZOMBIE_MICROS));
      this.#world.engine.schedule(later, STORE_LATE, this.index, 0, call, undefined);
      this.#answer(host, incarnation, call, failedCall(call, 'unknown'), key);
    } else this.#answer(host, incarnation, call, carryOut(this.model, call), key);
  }

  /** A write that its caller gave up takes effect, or finds that its time is over. */
  takeEffectLate(call: StoreCall): void {
    const completion = carryOut(this.model, call) as { result: { outcome: string } } | undefined;
    this.#world.probes.hit(`store.zombie.${completion?.result.outcome ?? 'ok'}`);
  }

  #isHealthy(): boolean {
    return this.failing.value === 0 && this.unknown.value === 0 && this.zombie.value === 0;
  }

  #answer(
    host: Host,
    incarnation: number,
    call: StoreCall,
    completion: object | undefined,
    key: number,
  ): void {
    const { network, seed } = this.#world;
    if (network.isTroubled && network.state(this.index, host.index) !== 'open') {
      this.#world.probes.hit('store.answer.lost');
      this.#timeOut(host, incarnation, call);
      return;
    }
    const table = isWrite(call) ? network.profile.commit : network.profile.read;
    const slowness =
      this.slowness.value === 0 ? 1 : 1 + keyedInt(seed, SLOW_STREAM, key, this.slowness.value);
    const work = drawLatency(table, keyedHash(seed, SERVICE_STREAM, key)) * slowness;
    const delay = Math.min(work, LONGEST_WORK) + network.delay(this.index, host.index);
    this.#complete(host, incarnation, call, completion, delay);
  }

  #complete(
    host: Host,
    incarnation: number,
    call: StoreCall,
    completion: object | undefined,
    delay: number,
  ): void {
    if (completion === undefined) return;
    if (this.#world.calls.takePart(call, host, completion, delay)) return;
    this.#world.tellIncarnation(host, incarnation, completion, delay);
  }

  /** What a client library says when nothing came back: a read failed, a write did or did not happen. */
  #timeOut(host: Host, incarnation: number, call: StoreCall): void {
    const completion = failedCall(call, isWrite(call) ? 'unknown' : 'failed');
    this.#complete(host, incarnation, call, completion, this.#world.callTimeout);
  }

  #hide(row: OutboxRow): boolean {
    const { engine, seed, probes } = this.#world;
    const delay = keyedInt(seed, LATE_STREAM, ~row.id, this.outboxDelay.value);
    if (delay === 0) return false;
    probes.hit('store.outbox.late');
    const reveal = (): void => {
      this.model.outbox.set(row.id, row);
    };
    engine.schedule(delay, CALL, this.index, 0, reveal, undefined);
    return true;
  }
}
