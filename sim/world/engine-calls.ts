import type { UserId } from '../../core/contract/ids.ts';
import type { ChatSummary, DeliveryEvent, SessionEntry } from '../../core/contract/records.ts';
import type {
  ListChatsResult,
  ReadHeadsResult,
  ReceiptWrite,
  SaveReceiptsResult,
} from '../../core/contract/store.ts';
import type { PresenceReading } from '../../core/presence/presence-reading.ts';
import type { RenewOutcome } from '../../core/session/lease.ts';
import type { QueueCall } from './delivery-queue.ts';
import type { GatewayHost } from './gateway-host.ts';
import type { Host } from './host.ts';
import type { RegistryCall } from './registry-node.ts';
import type { StoreCall } from './store-call.ts';
import type { World } from './world.ts';

type Completion = object | undefined;
type Of<Call extends { readonly kind: string }, Kind extends string> = Extract<Call, { readonly kind: Kind }>;

/**
 * Which region's engine a call goes to, as the adapters of a deployment with several regions choose: by the home of the
 * chat or the user (docs/adr/0004-shards-and-regions.md). A call that concerns several is split, and answered when all
 * parts are. With one region everything goes straight through.
 */
export class EngineCalls {
  readonly #world: World;
  /** Parts of calls that were split, and who takes their completion. */
  readonly #parts = new Map<object, (completion: Completion) => void>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Takes the completion of a part of a split call. @returns false when the call was not split. */
  takePart(call: object, host: Host, completion: Completion, delay: number): boolean {
    if (this.#parts.size === 0) return false;
    const take = this.#parts.get(call);
    if (take === undefined) return false;
    this.#parts.delete(call);
    this.#world.later(delay, host.index, () => take(completion));
    return true;
  }

  // ---------------------------------------------------------------- the message store

  store(host: Host, call: StoreCall): void {
    const { stores, regions } = this.#world;
    if (stores.length === 1) stores[0]!.call(host, call);
    else if (call.kind === 'list-chats') this.#listChats(host, call);
    else if (call.kind === 'save-receipts') this.#saveReceipts(host, call);
    else if (call.kind === 'read-heads') this.#readHeads(host, call);
    else stores[this.#shardOf(host, call, regions)]!.call(host, call);
  }

  #shardOf(
    host: Host,
    call: Exclude<StoreCall, Of<StoreCall, 'list-chats' | 'save-receipts' | 'read-heads'>>,
    regions: World['regions'],
  ): number {
    switch (call.kind) {
      case 'open-device':
      case 'confirm-device':
        return regions.homeOf(call.userId);
      case 'fetch':
        return regions.homeOf(call.chatId);
      case 'load-chat':
      case 'append':
      case 'change-member':
      case 'create-chat':
      case 'count-receipts':
        return regions.homeOf(call.request.chatId);
      // A relay empties the outbox of its own region.
      case 'read-outbox':
      case 'read-members':
      case 'delete-outbox':
        return host.regionIndex;
    }
  }

  #listChats(host: Host, call: Of<StoreCall, 'list-chats'>): void {
    const parts = this.#world.stores.map((store) => ({ node: store, call: { ...call } }));
    this.#split(host, parts, (completions) => {
      const results = completions.map((c) => (c as { result: ListChatsResult }).result);
      const chats: ChatSummary[] = [];
      for (const result of results) if (result.outcome === 'ok') chats.push(...result.chats);
      const answered = results.filter(({ outcome }) => outcome === 'ok').length;
      const complete = answered === results.length;
      if (!complete && answered > 0) this.#world.probes.hit('store.list.incomplete');
      const result = answered === 0 ? { outcome: 'failed' } : { outcome: 'ok', chats, complete };
      return { kind: 'chats', conn: call.conn, result };
    });
  }

  /** Heads of a region that does not answer are left out. */
  #readHeads(host: Host, call: Of<StoreCall, 'read-heads'>): void {
    const parts = this.#dealt(call.chatIds, (chatId) => chatId).map(([home, chatIds]) => ({
      node: this.#world.stores[home]!,
      call: { ...call, chatIds },
    }));
    this.#split(host, parts, (completions) => {
      const results = completions.map((c) => (c as { result: ReadHeadsResult }).result);
      const heads = results.flatMap((result) => (result.outcome === 'ok' ? result.heads : []));
      return { kind: 'heads', result: { outcome: 'ok', heads } };
    });
  }

  #saveReceipts(host: Host, call: Of<StoreCall, 'save-receipts'>): void {
    const byHome = this.#dealt(call.writes, (write: ReceiptWrite) => write.chatId);
    const parts = byHome.map(([home, writes]) => ({
      node: this.#world.stores[home]!,
      call: { ...call, writes },
    }));
    this.#split(host, parts, (completions) => ({
      kind: 'receipts-saved',
      call: call.call,
      result: joinedOutcome(completions.map((c) => (c as { result: SaveReceiptsResult }).result.outcome)),
    }));
  }

  // ---------------------------------------------------------------- the session registry

  registry(host: Host, call: RegistryCall): void {
    const { registries, regions } = this.#world;
    if (registries.length === 1) {
      registries[0]!.call(host, call);
      return;
    }
    switch (call.kind) {
      case 'claim':
      case 'release':
        registries[regions.homeOf(call.entry.userId)]!.call(host, call);
        return;
      case 'renew':
        this.#renew(host, call);
        return;
      case 'read-presence':
        this.#readPresence(host, call);
        return;
      // A worker's users have their home where it stands.
      case 'lookup':
      case 'mark-missed':
        registries[host.regionIndex]!.call(host, call);
    }
  }

  #renew(host: Host, call: Of<RegistryCall, 'renew'>): void {
    const places = call.entries.map((entry, place) => ({ entry, place }));
    const byHome = this.#dealt(places, ({ entry }) => entry.userId);
    const parts = byHome.map(([home, own]) => ({
      node: this.#world.registries[home]!,
      call: { ...call, entries: own.map(({ entry }): SessionEntry => entry) },
    }));
    this.#split(host, parts, (completions) => {
      const outcomes: (RenewOutcome | undefined)[] = call.entries.map(() => undefined);
      completions.forEach((completion, part) => {
        const got = (completion as { outcomes: readonly RenewOutcome[] | undefined }).outcomes;
        byHome[part]![1].forEach(({ place }, i) => (outcomes[place] = got?.[i]));
      });
      return { kind: 'renewed', conns: call.conns, outcomes };
    });
  }

  #readPresence(host: Host, call: Of<RegistryCall, 'read-presence'>): void {
    const parts = this.#dealt(call.users, (userId: UserId) => userId).map(([home, users]) => ({
      node: this.#world.registries[home]!,
      call: { ...call, users },
    }));
    this.#split(host, parts, (completions) => ({
      kind: 'presence',
      readings: completions.flatMap((c) => (c as { readings: readonly PresenceReading[] }).readings),
    }));
  }

  watch(userId: UserId, gateway: GatewayHost): void {
    this.#world.registries[this.#world.regions.homeOf(userId)]!.watch(userId, gateway);
  }

  unwatch(userId: UserId, gateway: GatewayHost): void {
    this.#world.registries[this.#world.regions.homeOf(userId)]!.unwatch(userId, gateway);
  }

  // ---------------------------------------------------------------- the delivery queue

  queue(host: Host, call: QueueCall): void {
    const topics = this.#world.topics[host.regionIndex]!;
    if (call.kind === 'commit') {
      this.#world.topicOf(call.partition).call(host, call);
      return;
    }
    if (topics.length === 1) {
      topics[0]!.call(host, call);
      return;
    }
    const byHome = this.#dealt(call.events, (event: DeliveryEvent) => event.recipient);
    const parts = byHome.map(([home, events]) => ({ node: topics[home]!, call: { ...call, events } }));
    if (call.kind === 'publish-transient') for (const part of parts) part.node.call(host, part.call);
    else
      this.#split(host, parts, (completions) => {
        const outcomes = completions.map((c) => (c as { outcome: 'ok' | 'failed' | 'unknown' }).outcome);
        return { kind: 'published', call: call.call, outcome: joinedOutcome(outcomes).outcome };
      });
  }

  // ---------------------------------------------------------------- splitting

  /** Deals items to homes, in the order of the homes. */
  #dealt<Item>(items: readonly Item[], id: (item: Item) => string): readonly (readonly [number, Item[]])[] {
    const { regions } = this.#world;
    const byHome: Item[][] = Array.from({ length: regions.count }, () => []);
    for (const item of items) byHome[regions.homeOf(id(item))]!.push(item);
    return byHome.flatMap((own, home) => (own.length === 0 ? [] : [[home, own] as const]));
  }

  #split<Call extends object>(
    host: Host,
    parts: readonly { readonly node: { call(host: Host, call: Call): void }; readonly call: Call }[],
    join: (completions: readonly object[]) => object,
  ): void {
    const { incarnation } = host;
    const completions: object[] = [];
    let missing = parts.length;
    parts.forEach((part, i) => {
      this.#parts.set(part.call, (completion) => {
        completions[i] = completion!;
        missing--;
        if (missing === 0) this.#world.tellIncarnation(host, incarnation, join(completions), 0);
      });
    });
    if (parts.length === 0) this.#world.tellIncarnation(host, incarnation, join([]), 0);
    for (const part of parts) part.node.call(host, part.call);
  }
}

type Outcome = 'ok' | 'failed' | 'unknown';

/** All went well, nothing happened at all, or one cannot tell. */
function joinedOutcome(outcomes: readonly Outcome[]): { readonly outcome: Outcome } {
  if (outcomes.every((outcome) => outcome === 'ok')) return { outcome: 'ok' };
  return { outcome: outcomes.every((outcome) => outcome === 'failed') ? 'failed' : 'unknown' };
}
