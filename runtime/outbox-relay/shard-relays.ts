import type { Logger } from 'pino';
import type { Outbox, OutboxOwnership } from '../ports/outbox.ts';
import { startRelay, type RelayOptions, type RelayShell } from './relay-shell.ts';

/** One relay for each shard of this region that this process owns; other processes own the rest. */
export interface ShardRelays {
  hint(): void;
  /** Outboxes that this process works on. */
  readonly owned: number;
  readonly inFlight: number;
  /** Reads no more; what is under way may finish. */
  quiesce(): void;
  /** Stops at once and gives every outbox up, so that another process takes over without waiting. */
  stop(): Promise<void>;
}

export interface ShardRelaysOptions extends Omit<RelayOptions, 'store'> {
  readonly outboxes: readonly Outbox[];
  readonly log: Logger;
}

/** @throws Error when the queue would refuse the largest publish for ever: delivery would stop without a word. */
export function startShardRelays(options: ShardRelaysOptions): ShardRelays {
  const { outboxes, log, limits, queue } = options;
  if (limits.publishEvents > queue.capacity)
    throw new Error(
      `limits.publishEvents is ${limits.publishEvents}, and the delivery queue takes ${queue.capacity} events at most`,
    );
  const relays = new Map<Outbox, RelayShell>();
  let quiet = false;

  function onOwned(outbox: Outbox): void {
    if (quiet) return;
    log.info({ shard: outbox.shard }, 'this process relays the outbox');
    relays.set(outbox, startRelay({ ...options, store: outbox.store }));
  }
  function onLost(outbox: Outbox): void {
    if (!quiet) log.warn({ shard: outbox.shard }, 'this process relays the outbox no longer');
    relays.get(outbox)?.stop();
    relays.delete(outbox);
  }

  const ownerships: readonly OutboxOwnership[] = outboxes.map((outbox) =>
    outbox.compete(
      () => onOwned(outbox),
      () => onLost(outbox),
    ),
  );
  return {
    hint: () => relays.forEach((relay) => relay.hint()),
    get owned() {
      return relays.size;
    },
    get inFlight() {
      return [...relays.values()].reduce((sum, { inFlight }) => sum + inFlight, 0);
    },
    quiesce() {
      quiet = true;
      for (const relay of relays.values()) relay.quiesce();
    },
    async stop() {
      quiet = true;
      for (const relay of relays.values()) relay.stop();
      relays.clear();
      await Promise.all(ownerships.map((ownership) => ownership.close()));
    },
  };
}
