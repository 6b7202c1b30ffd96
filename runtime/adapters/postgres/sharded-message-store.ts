import type { Logger } from 'pino';
import type { Limits } from '../../../core/contract/limits.ts';
import { type Placement, shardOf } from '../../../core/contract/placement.ts';
import type { ChatStore, MessageStore } from '../../ports/message-store.ts';
import type { PostgresLimits } from './postgres-limits.ts';
import { DEFAULT_SHARD_LIMITS, type ShardLimits } from './shard-limits.ts';
import { createChat, listChats, readHeads, saveReceipts } from './shard-calls.ts';
import { type ShardHealth, ShardLink } from './shard-link.ts';
import type { StoreMetrics } from './store-options.ts';
import { StoreNotReadyError } from './store-readiness.ts';

/** Numbers of process runs are given out in one class a region (`claim_instance`). */
const MAX_REGIONS = 8;

export interface ShardAddress {
  /** As in the placement. */
  readonly name: string;
  readonly connectionString: string;
  /** Of a physical replica, for history. */
  readonly replicaConnectionString?: string;
}

export interface ShardedStoreOptions {
  /** Shards and, by their first appearance, regions keep their order for ever: new ones come last. */
  readonly placement: Placement;
  /** Where this process runs: shards of this region are required at the start, others connect behind it. */
  readonly region: string;
  readonly shards: readonly ShardAddress[];
  readonly limits: Pick<Limits, 'receiptMembers'>;
  readonly postgres?: Partial<PostgresLimits>;
  readonly sharding?: Partial<ShardLimits>;
  readonly log: Logger;
  readonly metrics?: StoreMetrics;
  /** A shard became reachable or fell silent. */
  readonly onShardState?: (health: ShardHealth) => void;
}

/** A shard of this process's own region. */
export interface LocalShard {
  readonly name: string;
  readonly connectionString: string;
  /** With the shard's outbox: one relay machine empties it. */
  readonly store: MessageStore;
}

export interface ShardedMessageStore extends ChatStore {
  readonly localShards: readonly LocalShard[];
  health(): readonly ShardHealth[];
}

/**
 * The message store over all shards of all regions, by the arithmetic of core/contract/placement.ts (docs/adr/0004): what
 * concerns a chat goes to the chat's shard, what concerns a device to its user's home shard, and no write needs two of them.
 *
 * - Send keys are looked up on the chat's shard: a key that was used in a chat of another shard is not found.
 * - Listing asks every shard and answers without those that do not: `complete` is false then.
 * - `ping` rejects when none of this region's shards can serve. One of them may be away while the others serve their chats,
 *   and another region for as long as it likes.
 *
 * @throws StoreNotReadyError naming the shard, when one of this region cannot be used; Error when the shards given are not
 * those of the placement.
 */
export async function createShardedMessageStore(options: ShardedStoreOptions): Promise<ShardedMessageStore> {
  const links = openLinks(options);
  const local = links.filter((link) => link.local);
  try {
    await Promise.all(local.map(connectLocal));
  } catch (error) {
    await Promise.all(links.map((link) => link.close()));
    throw error;
  }
  for (const link of links) if (!link.local) link.connectBehind();
  return storeOver(links, local, options);
}

function storeOver(
  links: readonly ShardLink[],
  local: readonly ShardLink[],
  options: ShardedStoreOptions,
): ShardedMessageStore {
  const { placement, shards } = options;
  const { listDeadlineMs } = { ...DEFAULT_SHARD_LIMITS, ...options.sharding };
  const of = (id: string): ShardLink => links[shardOf(placement, id)] as ShardLink;
  const [first] = local as [ShardLink];

  return {
    append: (request, done) => of(request.chatId).write((store, then) => store.append(request, then), done),
    loadChat: (request, done) =>
      of(request.chatId).read((store, then) => store.loadChat(request, then), done),
    createChat: (request, done) => createChat(of, request, done),
    changeMember: (request, done) =>
      of(request.chatId).write((store, then) => store.changeMember(request, then), done),
    openDevice: (request, done) =>
      of(request.userId).write((store, then) => store.openDevice(request, then), done),
    confirmDevice: (request) => of(request.userId).tell((store) => store.confirmDevice(request)),
    listChats: (request, done) => listChats(links, request, listDeadlineMs, done),
    fetch: (request, done) => of(request.chatId).read((store, then) => store.fetch(request, then), done),
    fetchHistory: (request, done) =>
      of(request.chatId).read((store, then) => store.fetchHistory(request, then), done),
    saveReceipts: (writes, done) => saveReceipts(of, writes, done),
    readMembers: (request, done) =>
      of(request.chatId).read((store, then) => store.readMembers(request, then), done),
    readHeads: (request, done) => readHeads(of, request, done),
    countReceipts: (request, done) =>
      of(request.chatId).read((store, then) => store.countReceipts(request, then), done),

    claimInstance: () => first.require().claimInstance(),
    receiptsOf: async (chatId, serverMsgId) => of(chatId).require().receiptsOf(chatId, serverMsgId),
    saveMedia: async (record) => of(record.mediaId).require().saveMedia(record),
    findMedia: async (mediaId) => of(mediaId).require().findMedia(mediaId),
    maySeeMedia: async (sight) => of(sight.chatId).require().maySeeMedia(sight),
    async ping() {
      const answers = await Promise.allSettled(local.map(async (link) => link.require().ping()));
      const silent = answers.filter((answer) => answer.status === 'rejected');
      if (silent.length === local.length)
        throw new Error(silent.map(({ reason }) => (reason as Error).message).join('; '));
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
    },

    localShards: local.map((link) => {
      const { name } = link.plan;
      const connectionString = shards.find((shard) => shard.name === name)?.connectionString ?? '';
      return { name, connectionString, store: link.require() };
    }),
    health: () => links.map((link) => link.health),
  };
}

/** @throws Error when shards and placement do not belong together. */
function openLinks(options: ShardedStoreOptions): readonly ShardLink[] {
  const { placement, region, log } = options;
  const regions = [...new Set(placement.shards.map((shard) => shard.region))];
  const instanceClass = regions.indexOf(region);
  if (instanceClass === -1) throw new Error(`the shard map has no shard in region ${region}`);
  if (regions.length > MAX_REGIONS)
    throw new Error(`the shard map has ${regions.length} regions, at most ${MAX_REGIONS} are possible`);
  const sharding = { ...DEFAULT_SHARD_LIMITS, ...options.sharding };
  return placement.shards.map((plan) => {
    const address = options.shards.find((shard) => shard.name === plan.name);
    if (address === undefined) throw new Error(`shard ${plan.name} of the shard map has no address`);
    const local = plan.region === region;
    const { remoteAnswerMs } = sharding;
    const remote = { answerTimeoutMs: remoteAnswerMs, statementTimeoutMs: Math.ceil(remoteAnswerMs * 0.8) };
    return new ShardLink({
      plan,
      local,
      limits: sharding,
      log,
      onState: options.onShardState ?? (() => {}),
      store: {
        ...connectionsOf(address),
        limits: options.limits,
        instanceClass: regions.indexOf(plan.region),
        connect: 'as-needed',
        postgres: { ...(local ? {} : remote), ...options.postgres },
        log: log.child({ shard: plan.name }),
        ...(options.metrics === undefined ? {} : { metrics: options.metrics }),
      },
    });
  });
}

function connectionsOf({ connectionString, replicaConnectionString }: ShardAddress) {
  return replicaConnectionString === undefined
    ? { connectionString }
    : { connectionString, replicaConnectionString };
}

async function connectLocal(link: ShardLink): Promise<void> {
  try {
    await link.connect();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreNotReadyError(`shard ${link.plan.name}: ${reason}`, { cause });
  }
}
