import type { Logger } from 'pino';
import type { NodeId } from '../../../core/contract/ids.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';
import type { LinkCounters } from './link-counters.ts';
import { dialLink } from './link-dialer.ts';
import type { Hello } from './link-hello.ts';
import { LEAVING, readItems } from './link-items.ts';
import type { LinkLimits } from './link-limits.ts';
import { LinkPeer } from './link-peer.ts';
import type { LinkSecurity } from './link-security.ts';
import { listenForLinks, type LinkServer } from './link-server.ts';
import type { LinkStream } from './link-stream.ts';
import type { LocalEnds } from './local-ends.ts';
import { PeerItems } from './peer-items.ts';

export interface LinkPeersOptions {
  readonly self: Omit<NodeRecord, 'address' | 'startedAt'>;
  readonly listen: { readonly host: string; readonly port: number };
  readonly security: LinkSecurity;
  readonly directory: NodeDirectory;
  readonly log: Logger;
  readonly limits: LinkLimits;
  readonly counters: LinkCounters;
  readonly ends: LocalEnds;
  /** Called when the last stream to a peer has ended. */
  readonly lost: (peer: NodeId) => void;
}

/** How often streams are looked at, and how long `close` sleeps between two looks. */
const TICK_MS = 1_000;
const FLUSH_POLL_MS = 5;

/** The other processes: found by name, connected when something is to be said, forgotten when they are gone. */
export class LinkPeers {
  readonly #options: LinkPeersOptions;
  readonly #peers = new Map<NodeId, LinkPeer>();
  #server: LinkServer | undefined;
  #dirty: LinkPeer[] = [];
  #flushedAt = Number.NEGATIVE_INFINITY;
  #isLeaving = false;
  #ticks = 0;
  readonly #ticker: NodeJS.Timeout;

  private constructor(options: LinkPeersOptions) {
    this.#options = options;
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** @throws Error as `listenForLinks`. */
  static async start(options: LinkPeersOptions): Promise<LinkPeers> {
    const peers = new LinkPeers(options);
    try {
      peers.#server = await listenForLinks({
        ...options,
        ...options.listen,
        up: (stream, hello) => peers.#up(stream, hello, false),
      });
    } catch (error) {
      clearInterval(peers.#ticker);
      throw error;
    }
    return peers;
  }

  /** `host:port`. */
  get listening(): string {
    const { listen } = this.#options;
    const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    return `${host}:${this.#server?.port ?? listen.port}`;
  }

  get gauges() {
    const sum = (read: (peer: LinkPeer) => number) => (): number => {
      let total = 0;
      for (const peer of this.#peers.values()) total += read(peer);
      return total;
    };
    return {
      streams: sum((peer) => peer.streams),
      queued: sum((peer) => peer.queued),
      unanswered: sum((peer) => peer.unanswered),
    };
  }

  /** @returns the process, undefined (and counted) when nobody has ever told of it. */
  find(id: NodeId): LinkPeer | undefined {
    const peer = this.#peers.get(id);
    if (peer !== undefined) return peer;
    if (this.#options.directory.view().has(id)) return this.#create(id);
    this.#options.counters.dropped['unknown-node']++;
    this.#options.directory.seek();
    return undefined;
  }

  /** Whether a request to that service has a chance: its link is not down and it has not said that it leaves. */
  takesRequests(id: NodeId): boolean {
    const peer = this.#peers.get(id);
    return peer === undefined || (peer.state !== 'down' && !peer.leaving);
  }

  /** Whether the process is there beyond doubt, and has not said that it leaves. */
  isWith(id: NodeId): boolean {
    const peer = this.#peers.get(id);
    return peer?.state === 'up' && !peer.leaving;
  }

  /** Lets go of processes that the directory lacks and that have no stream. */
  forgetGone(): void {
    const view = this.#options.directory.view();
    for (const [id, peer] of this.#peers) {
      if (view.has(id) || peer.streams > 0 || peer.state === 'dialling') continue;
      peer.close();
      this.#peers.delete(id);
    }
  }

  leave(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    for (const peer of this.#peers.values()) if (peer.state === 'up') peer.say('leaving', LEAVING);
  }

  async close(): Promise<void> {
    const { limits } = this.#options;
    const isBusy = (): boolean =>
      [...this.#peers.values()].some((peer) => peer.state === 'up' && peer.isBusy);
    for (let waited = 0; isBusy() && waited < limits.flushMs; waited += FLUSH_POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, FLUSH_POLL_MS));
    }
    clearInterval(this.#ticker);
    for (const peer of this.#peers.values()) peer.close();
    await this.#server?.close();
    this.#peers.clear();
  }

  #create(id: NodeId): LinkPeer {
    const { limits, counters, ends } = this.#options;
    const peer = new LinkPeer(id, {
      limits,
      counters,
      random: Math.random,
      flushSoon: (dirty) => this.#flushSoon(dirty),
      dial: (wanted) => this.#dial(wanted),
      unreachable: (worker, pushId) => ends.pushed(worker, pushId, 'unreachable'),
    });
    this.#peers.set(id, peer);
    return peer;
  }

  #dial(peer: LinkPeer): boolean {
    const to = this.#options.directory.view().get(peer.id);
    if (to === undefined) {
      this.#options.directory.seek();
      return false;
    }
    dialLink({
      ...this.#options,
      to,
      up: (stream, hello) => this.#up(stream, hello, true),
      failed: (reason) => {
        const { log } = this.#options;
        // Once for each time that it goes down: it is tried again every few seconds.
        const isNews = peer.state !== 'down';
        log[isNews ? 'warn' : 'debug']({ peer: peer.id, address: to.address, reason }, 'no link to a peer');
        peer.dialFailed();
      },
    });
    return true;
  }

  #up(stream: LinkStream, hello: Hello, dialled: boolean): void {
    const { self, ends, counters, log } = this.#options;
    const peer = this.#peers.get(hello.nodeId) ?? this.#create(hello.nodeId);
    const items = new PeerItems(peer, hello.role, self.nodeId, ends, counters);
    stream.handTo({
      message(text) {
        if (readItems(text, items)) return;
        counters.dropped.malformed++;
        stream.breakOff('a message is not a JSON array');
      },
      broken: (reason) => {
        log.info({ peer: peer.id, reason }, 'a link ended');
        peer.lost(stream, dialled && this.#options.directory.view().has(peer.id));
        if (peer.streams === 0) this.#options.lost(peer.id);
      },
    });
    log.debug({ peer: peer.id, role: hello.role, dialled }, 'a link is up');
    peer.accept(stream);
    if (this.#isLeaving) peer.say('leaving', LEAVING);
  }

  #flushSoon(peer: LinkPeer): void {
    if (this.#dirty.push(peer) > 1) return;
    // After a silence, at the end of this turn: what its events say goes out together. Under traffic what comes meanwhile, too:
    // each write is a system call here and a wake-up there.
    const wait = Math.ceil(this.#flushedAt + this.#options.limits.gapMs - performance.now());
    if (wait <= 0) setImmediate(() => this.#flush());
    else setTimeout(() => this.#flush(), wait);
  }

  #flush(): void {
    this.#flushedAt = performance.now();
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const each of dirty) each.flush();
  }

  #tick(): void {
    const { limits } = this.#options;
    const isTurn = ++this.#ticks % Math.ceil(limits.forgetMs / TICK_MS) === 0;
    for (const peer of this.#peers.values()) {
      peer.tick(limits.writeTimeoutMs / TICK_MS);
      if (isTurn) peer.forgetOld();
    }
    if (isTurn) this.forgetGone();
  }
}
