import { keyedHash } from '../../core/contract/random.ts';
import { FaultDial } from './fault-dial.ts';
import { drawLatency, type LatencyProfile } from './latency-table.ts';

/** In place of a node: every node. */
export const ANY_NODE = -1;

/** `held`: what is sent waits and arrives when the link is open again. `lost`: it never arrives and nobody is told. */
export type LinkState = 'open' | 'held' | 'lost';

const LATENCY_STREAM = 0x6c61_7465;

/** Troubles of one direction of a link, or of everything that leaves or reaches a node. */
class LinkTrouble {
  held = 0;
  lost = 0;
  readonly slow = new FaultDial();
}

/**
 * The network: which way is open, and how long a message takes. Messages between two nodes of the service travel on one
 * stream per direction and stay in order; device connections keep their own order (`connection.ts`).
 *
 * While nothing is in trouble no table is consulted, so the common case costs one comparison.
 */
export class Network {
  readonly profile: LatencyProfile;
  readonly #onChanged: () => void;
  readonly #seed: number;
  readonly #nodes: number;
  readonly #inside: number;
  /** Per stream (from * inside + to): draws made, and the last arrival. */
  readonly #draws: Uint32Array;
  readonly #arrivals: Float64Array;
  readonly #troubles = new Map<number, LinkTrouble>();
  #active = 0;

  /**
   * @param inside the first `inside` of the `nodes` are nodes of the service, the others are devices.
   * @param onChanged called whenever a way closed or opened.
   */
  constructor(
    seed: number,
    nodes: number,
    inside: number,
    profile: LatencyProfile,
    onChanged: () => void = () => {},
  ) {
    this.#onChanged = onChanged;
    this.#seed = keyedHash(seed, LATENCY_STREAM, 0);
    this.#nodes = nodes;
    this.#inside = inside;
    this.profile = profile;
    this.#draws = new Uint32Array(inside * inside);
    this.#arrivals = new Float64Array(inside * inside);
  }

  get isTroubled(): boolean {
    return this.#active > 0;
  }

  /** The state of the way from one node to another. */
  state(from: number, to: number): LinkState {
    if (this.#active === 0) return 'open';
    const pair = this.#troubles.get(this.#key(from, to));
    const out = this.#troubles.get(this.#key(from, ANY_NODE));
    const into = this.#troubles.get(this.#key(ANY_NODE, to));
    if ((pair?.lost ?? 0) + (out?.lost ?? 0) + (into?.lost ?? 0) > 0) return 'lost';
    return (pair?.held ?? 0) + (out?.held ?? 0) + (into?.held ?? 0) > 0 ? 'held' : 'open';
  }

  /** How many times slower than usual the way is, at least 1. */
  slowness(from: number, to: number): number {
    if (this.#active === 0) return 1;
    return Math.max(
      1,
      this.#troubles.get(this.#key(from, to))?.slow.value ?? 1,
      this.#troubles.get(this.#key(from, ANY_NODE))?.slow.value ?? 1,
      this.#troubles.get(this.#key(ANY_NODE, to))?.slow.value ?? 1,
    );
  }

  /** Microseconds from one node of the service to another; without any order among messages. */
  delay(from: number, to: number): number {
    const stream = from * this.#inside + to;
    const latency = drawLatency(this.profile.inside, keyedHash(this.#seed, stream, this.#draws[stream]!++));
    return this.#active === 0 ? latency : latency * this.slowness(from, to);
  }

  /** When a message sent now on the stream between two nodes of the service arrives, behind those before it. */
  arrival(from: number, to: number, now: number): number {
    const stream = from * this.#inside + to;
    const time = Math.max(now + this.delay(from, to), this.#arrivals[stream]! + 1);
    this.#arrivals[stream] = time;
    return time;
  }

  /** Microseconds for the next message of a device connection. @param key the connection's own stream. */
  deviceDelay(from: number, to: number, key: number, draw: number): number {
    const latency = drawLatency(this.profile.device, keyedHash(this.#seed, key, draw));
    return this.#active === 0 ? latency : latency * this.slowness(from, to);
  }

  /** Blocks one direction; either end may be ANY_NODE. @returns what opens it again. */
  block(from: number, to: number, mode: 'held' | 'lost'): () => void {
    const trouble = this.#troubleOf(from, to);
    trouble[mode]++;
    this.#active++;
    this.#onChanged();
    return () => {
      trouble[mode]--;
      this.#active--;
      this.#onChanged();
    };
  }

  /** Makes one direction `factor` times slower. @returns what ends it. */
  slowDown(from: number, to: number, factor: number): () => void {
    const end = this.#troubleOf(from, to).slow.turnUp(factor);
    this.#active++;
    return () => {
      end();
      this.#active--;
    };
  }

  #key(from: number, to: number): number {
    return (from + 1) * (this.#nodes + 1) + to + 1;
  }

  #troubleOf(from: number, to: number): LinkTrouble {
    const key = this.#key(from, to);
    let trouble = this.#troubles.get(key);
    if (trouble === undefined) {
      trouble = new LinkTrouble();
      this.#troubles.set(key, trouble);
    }
    return trouble;
  }
}
