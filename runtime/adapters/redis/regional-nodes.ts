import type { Logger } from 'pino';
import type { NodeId } from '../../../core/contract/ids.ts';
import { loggableMessage } from '../../observability/loggable-error.ts';
import type { NodeRecord } from '../../ports/node-directory.ts';
import { NODE_DIRECTORY_SCRIPT } from './node-directory-script.ts';
import { decodeNodeRecord } from './node-record.ts';
import { openRedis, type RedisConnection } from './redis-connection.ts';
import type { RedisEndpoint } from './redis-endpoint.ts';

export interface DirectoryTimes {
  /** Milliseconds between two heartbeats. */
  readonly heartbeatMs: number;
  /** Milliseconds that an entry lives without one. */
  readonly ttlMs: number;
  /** Milliseconds for which the last view is believed while Redis does not answer. */
  readonly rememberMs: number;
  /** Everything is read again every so many heartbeats: what a failover of Redis made us miss is found then. */
  readonly fullEvery: number;
}

/** What a heartbeat says about this process. */
export type OwnEntry =
  | { readonly nodeId: NodeId /** '' to be taken out. */; readonly record: string }
  | undefined;

const CALL_TIMEOUT_MS = 1_000;

/** The nodes of one region, as its Redis tells. */
export class RegionalNodes {
  readonly region: string;
  readonly #connection: RedisConnection;
  readonly #times: DirectoryTimes;
  readonly #log: Logger;
  readonly #changed: () => void;
  readonly #records = new Map<NodeId, NodeRecord>();
  /** Nodes that a Redis which lost everything does not name (yet), and until when they are believed to be about to return. */
  readonly #doubted = new Map<NodeId, number>();
  #epoch = '';
  #version = 0;
  #calls = 0;
  #answeredAt = performance.now();
  #running: Promise<void> | undefined;

  constructor(options: {
    readonly region: string;
    readonly endpoint: RedisEndpoint;
    readonly name: string;
    readonly times: DirectoryTimes;
    readonly log: Logger;
    readonly changed: () => void;
    /** Redis can be talked to, for the first time or again. */
    readonly ready: () => void;
  }) {
    this.region = options.region;
    this.#times = options.times;
    this.#log = options.log;
    this.#changed = options.changed;
    this.#connection = openRedis({
      endpoint: options.endpoint,
      name: options.name,
      callTimeoutMs: CALL_TIMEOUT_MS,
      log: options.log,
      onReady: options.ready,
    });
  }

  get records(): Iterable<NodeRecord> {
    return this.#records.values();
  }

  /** Milliseconds since Redis last answered. */
  get ageMs(): number {
    return performance.now() - this.#answeredAt;
  }

  /** Says that this process lives, and takes in what changed. One call is under way at a time. Never rejects. */
  beat(own: OwnEntry): Promise<void> {
    this.#running ??= this.#beat(own).finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** As `beat`, but not instead of one that is under way: that one may have said something else. */
  async beatAfter(own: OwnEntry): Promise<void> {
    while (this.#running !== undefined) await this.#running;
    await this.beat(own);
  }

  close(): void {
    this.#connection.close();
  }

  async #beat(own: OwnEntry): Promise<void> {
    const isFull = this.#calls++ % this.#times.fullEvery === 0;
    const args = [
      this.#times.ttlMs,
      isFull ? '' : this.#epoch,
      isFull ? 0 : this.#version,
      own?.nodeId ?? '',
      own?.record ?? '',
    ];
    try {
      const reply = await this.#run(args);
      this.#answeredAt = performance.now();
      this.#take(reply);
    } catch (error) {
      this.#log.debug({ region: this.region, reason: loggableMessage(error) }, 'no node directory');
      if (this.ageMs > this.#times.rememberMs) this.#forgetAll();
    }
  }

  async #run(args: readonly (string | number)[]): Promise<readonly unknown[]> {
    const { sha, text, keys } = NODE_DIRECTORY_SCRIPT;
    const { client } = this.#connection;
    try {
      return (await client.evalsha(sha, keys.length, ...keys, ...args)) as unknown[];
    } catch (error) {
      if (!(error as Error).message.startsWith('NOSCRIPT')) throw error;
      return (await client.eval(text, keys.length, ...keys, ...args)) as unknown[];
    }
  }

  #take(reply: readonly unknown[]): void {
    const [epoch, version, isFull] = reply as [string, number, number];
    let changed = false;
    const named = new Set<NodeId>();
    for (let at = 3; at + 1 < reply.length; at += 2) {
      const nodeId = reply[at] as NodeId;
      named.add(nodeId);
      if (this.#set(nodeId, reply[at + 1] as string)) changed = true;
    }
    if (isFull === 1 && this.#missing(named, epoch !== this.#epoch)) changed = true;
    if (this.#dropDoubted()) changed = true;
    this.#epoch = epoch;
    this.#version = version;
    if (changed) this.#changed();
  }

  /** @param record '' when it went. @returns whether that is news. */
  #set(nodeId: NodeId, record: string): boolean {
    this.#doubted.delete(nodeId);
    const before = this.#records.get(nodeId);
    const after = record === '' ? undefined : decodeNodeRecord(nodeId, record);
    if (after === undefined) return this.#records.delete(nodeId);
    this.#records.set(nodeId, after);
    return before === undefined || JSON.stringify(before) !== JSON.stringify(after);
  }

  /** @param lost Redis may have lost everything: who lives says so within a heartbeat. */
  #missing(named: ReadonlySet<NodeId>, lost: boolean): boolean {
    let changed = false;
    for (const nodeId of this.#records.keys()) {
      if (named.has(nodeId) || this.#doubted.has(nodeId)) continue;
      if (lost) this.#doubted.set(nodeId, performance.now() + this.#times.ttlMs);
      else changed = this.#records.delete(nodeId);
    }
    return changed;
  }

  #dropDoubted(): boolean {
    let changed = false;
    for (const [nodeId, until] of this.#doubted) {
      if (until > performance.now()) continue;
      this.#doubted.delete(nodeId);
      if (this.#records.delete(nodeId)) changed = true;
    }
    return changed;
  }

  #forgetAll(): void {
    this.#epoch = '';
    this.#doubted.clear();
    if (this.#records.size === 0) return;
    this.#log.warn({ region: this.region }, 'redis has been away for too long: its nodes are forgotten');
    this.#records.clear();
    this.#changed();
  }
}
