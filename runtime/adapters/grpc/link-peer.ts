import type { NodeId } from '../../../core/contract/ids.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import type { DropReason, ItemKind, LinkCounters } from './link-counters.ts';
import type { LinkLimits } from './link-limits.ts';
import type { LinkStream } from './link-stream.ts';
import { OutgoingQueue } from './outgoing-queue.ts';
import { UnansweredPushes } from './unanswered-pushes.ts';

/**
 * `idle`: nothing to say so far. `dialling`: a stream is being opened, or opened again after it broke; what is said waits.
 * `up`: a stream is open, by us or by the peer. `down`: none could be opened; what is said is turned away until one is.
 */
export type PeerState = 'idle' | 'dialling' | 'up' | 'down';

export interface PeerSurroundings {
  readonly limits: LinkLimits;
  readonly counters: LinkCounters;
  /** A number in [0, 1): spreads redials. */
  readonly random: () => number;
  /** Calls `peer.flush()` at the end of this turn of the event loop. */
  flushSoon(peer: LinkPeer): void;
  /** Opens a stream; `peer.accept` or `peer.dialFailed` follows, once. @returns false when nobody knows its address. */
  dial(peer: LinkPeer): boolean;
  /** Answers a push of a worker of this process. */
  unreachable(worker: NodeId, pushId: number): void;
}

/**
 * Everything about one other process: what waits for it, its streams, the pushes it owes answers to.
 *
 * *Invariant:* what is said goes to one stream, `#active`, until that breaks; so its order holds. When it breaks, every
 * push that was given to it or waits is answered `unreachable`, and the rest of what waits is dropped.
 */
export class LinkPeer {
  readonly id: NodeId;
  readonly #around: PeerSurroundings;
  readonly #queue: OutgoingQueue;
  readonly #unanswered = new UnansweredPushes();
  readonly #streams = new Set<LinkStream>();
  #active: LinkStream | undefined;
  #dialling = false;
  #failures = 0;
  #redial: NodeJS.Timeout | undefined;
  #scheduled = false;
  #closed = false;
  /** It said that it takes no new requests. */
  leaving = false;

  constructor(id: NodeId, around: PeerSurroundings) {
    this.id = id;
    this.#around = around;
    this.#queue = new OutgoingQueue(around.limits.batchBytes);
  }

  get state(): PeerState {
    if (this.#active !== undefined) return 'up';
    if (this.#failures > 0) return 'down';
    return this.#dialling || this.#redial !== undefined ? 'dialling' : 'idle';
  }
  get queued(): number {
    return this.#queue.size;
  }
  get unanswered(): number {
    return this.#unanswered.size;
  }
  get streams(): number {
    return this.#streams.size;
  }
  get isBusy(): boolean {
    return this.#queue.size > 0 || (this.#active?.writing ?? 0) > 0;
  }

  /** Best effort: what cannot be said is dropped and counted. */
  say(kind: ItemKind, item: string): void {
    const refused = this.#refusal(item);
    if (refused !== undefined) this.#around.counters.dropped[refused]++;
    else this.#enqueue(kind, item);
  }

  /** Answered by `unreachable` at once when it cannot be said, and when the stream breaks before the answer comes. */
  push(item: string, worker: NodeId, pushId: number, expectsAnswer: boolean): void {
    const { counters, limits } = this.#around;
    const refused = this.#unanswered.size >= limits.unanswered ? 'queue-full' : this.#refusal(item);
    if (refused !== undefined) {
      counters.dropped[refused]++;
      if (expectsAnswer) this.#answerUnreachable(worker, pushId);
      return;
    }
    if (expectsAnswer) this.#unanswered.add(worker, pushId);
    this.#enqueue('push', item);
  }

  /** @returns whether the answer was waited for. */
  answered(worker: NodeId, pushId: number): boolean {
    return this.#unanswered.answered(worker, pushId);
  }

  /** A stream whose hello was seen, opened by either side. */
  accept(stream: LinkStream): void {
    this.#dialling = false;
    this.#failures = 0;
    clearTimeout(this.#redial);
    this.#redial = undefined;
    this.#streams.add(stream);
    this.#active ??= stream;
    this.flush();
  }

  dialFailed(): void {
    this.#dialling = false;
    if (this.#active !== undefined) return;
    this.#failures++;
    this.#redialLater();
    this.#giveUp('down');
  }

  /** @param redial whether the peer is to be connected again before anybody asks. */
  lost(stream: LinkStream, redial: boolean): void {
    this.#streams.delete(stream);
    if (this.#active !== stream) return;
    [this.#active] = this.#streams;
    if (this.#active === undefined && redial) this.#redialLater();
    this.#giveUp('broken');
  }

  /** Writes what waits, as far as the stream takes it. */
  flush(): void {
    this.#scheduled = false;
    const stream = this.#active;
    if (stream === undefined) return;
    while (stream.writing < this.#around.limits.writesInFlight) {
      const message = this.#queue.take();
      if (message === undefined) return;
      stream.write(message, () => this.flush());
    }
  }

  /** @param patience ticks that a stream may take nothing of what waits for it. */
  tick(patience: number): void {
    for (const stream of this.#streams) {
      if (stream.tick() < patience) continue;
      this.#around.counters.ends.stalled++;
      stream.breakOff('nothing was taken for too long');
    }
  }

  /** Forgets pushes that nobody waits for any more. */
  forgetOld(): void {
    this.#unanswered.turn();
  }

  /** Ends the streams; what waits is given up. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#redial);
    this.#redial = undefined;
    this.#giveUp('broken');
    for (const stream of this.#streams) stream.finish();
  }

  #refusal(item: string): DropReason | undefined {
    const { limits } = this.#around;
    if (this.#closed || this.state === 'down') return 'down';
    if (item.length > limits.itemBytes) return 'too-large';
    return this.#queue.size + item.length > limits.queueBytes ? 'queue-full' : undefined;
  }

  #enqueue(kind: ItemKind, item: string): void {
    this.#queue.add(item);
    this.#around.counters.sent[kind]++;
    if (this.#active !== undefined) {
      if (!this.#scheduled) {
        this.#scheduled = true;
        this.#around.flushSoon(this);
      }
    } else if (!this.#dialling && this.#redial === undefined) {
      this.#dial();
    }
  }

  #dial(): void {
    this.#dialling = true;
    if (this.#around.dial(this)) return;
    this.#dialling = false;
    this.#failures = 0;
    this.#giveUp('unknown-node');
  }

  #redialLater(): void {
    if (this.#closed || this.#redial !== undefined) return;
    const { redialBaseMs, redialMaxMs } = this.#around.limits;
    const delay = fullJitter(this.#failures, redialBaseMs, redialMaxMs, this.#around.random);
    this.#around.counters.ends.reconnects++;
    this.#redial = setTimeout(() => {
      this.#redial = undefined;
      this.#dial();
    }, delay).unref();
  }

  /** Last in its caller: the answers may lead to new pushes at once, which must find the new state. */
  #giveUp(reason: DropReason): void {
    this.#around.counters.dropped[reason] += this.#queue.clear();
    for (const { worker, pushId } of this.#unanswered.takeAll()) this.#answerUnreachable(worker, pushId);
  }

  #answerUnreachable(worker: NodeId, pushId: number): void {
    this.#around.counters.ends.unreachable++;
    this.#around.unreachable(worker, pushId);
  }
}
