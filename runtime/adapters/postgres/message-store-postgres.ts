import { hashText } from '../../../core/contract/random.ts';
import type { Done, MessageStore } from '../../ports/message-store.ts';
import { appendGroup } from './append-group.ts';
import { changeMemberGroup, createChatGroup } from './chat-groups.ts';
import { countGroup } from './count-group.ts';
import { confirmGroup, deviceGroup } from './device-group.ts';
import { type DirectClaim, type DirectClaimResult, directClaimGroup } from './direct-claim-group.ts';
import { fetchGroup } from './fetch-group.ts';
import { type GroupKind, GroupLane, type LaneOptions } from './group-lane.ts';
import { headsGroup } from './heads-group.ts';
import { readHistoryFrom } from './history-reader.ts';
import { listGroup } from './list-group.ts';
import { loadGroup } from './load-group.ts';
import { mediaQueries } from './media-queries.ts';
import { membersGroup } from './members-group.ts';
import { deleteOutboxGroup, readOutboxGroup } from './outbox-groups.ts';
import { DEFAULT_POSTGRES_LIMITS, type PostgresLimits } from './postgres-limits.ts';
import { receiptGroup } from './receipt-group.ts';
import { StoreConnection } from './store-connection.ts';
import type { PostgresStoreOptions } from './store-options.ts';
import { storeQueries } from './store-queries.ts';
import { assertStoreReady } from './store-readiness.ts';

/** One shard. What concerns several shards is `createShardedMessageStore`. */
export interface PostgresMessageStore extends MessageStore {
  /** Gives a pair of users its direct chat, or tells which one it has. The chat itself is created by `createChat`. */
  claimDirect(claim: DirectClaim, done: Done<DirectClaimResult>): void;
}

/**
 * The message store on PostgreSQL 15 or newer, as core/contract/store.ts states it: every write is one durable
 * transaction, shared with whatever else waited (group commit), and ends `ok`, with a refusal, `failed` or `unknown`.
 *
 * @throws StoreNotReadyError when the database is not durable or lacks the schema; another Error when it is out of reach, or
 * has no connection to give: then it may be there later.
 */
export async function createPostgresMessageStore(
  options: PostgresStoreOptions,
): Promise<PostgresMessageStore> {
  const limits: PostgresLimits = { ...DEFAULT_POSTGRES_LIMITS, ...options.postgres };
  await assertStoreReady(options.connectionString, limits.connectTimeoutMs);
  const connections = openConnections(options, limits);
  const { control, readers, all } = connections;
  await allReady(options.connect === 'as-needed' ? [control, ...readers] : all, all, limits.connectTimeoutMs);
  return wire(connections, options, { limits, log: options.log, metrics: options.metrics });
}

function wire(
  connections: Connections,
  { limits: { receiptMembers }, instanceClass = 0, replicaConnectionString }: PostgresStoreOptions,
  options: LaneOptions,
): PostgresMessageStore {
  const { append, receipts, control, readers, relay } = connections;
  const lane = <Request, Result>(kind: GroupKind<Request, Result>, on: readonly StoreConnection[]) =>
    new GroupLane(kind, on, options);

  const appends = lane(appendGroup, append);
  const receiptLanes = receipts.map((connection) => lane(receiptGroup, [connection]));
  const claims = lane(directClaimGroup, [control]);
  const creations = lane(createChatGroup, [control]);
  const changes = lane(changeMemberGroup, [control]);
  const devices = lane(deviceGroup, [control]);
  const confirmations = lane(confirmGroup, [control]);
  const loads = lane(loadGroup, readers);
  const lists = lane(listGroup(receiptMembers), readers);
  const fetches = lane(fetchGroup, readers);
  const members = lane(membersGroup, [relay]);
  const heads = lane(headsGroup, readers);
  const counts = lane(countGroup, [relay]);
  const outbox = lane(readOutboxGroup, [relay]);
  const deletions = lane(deleteOutboxGroup, [connections.deleter]);
  const lanes = [
    appends,
    ...receiptLanes,
    claims,
    creations,
    changes,
    devices,
    confirmations,
    loads,
    lists,
    fetches,
    members,
    heads,
    counts,
    outbox,
    deletions,
  ];
  const fetch: MessageStore['fetch'] = (request, done) => fetches.submit(request, done);
  const history =
    replicaConnectionString === undefined
      ? undefined
      : readHistoryFrom(replicaConnectionString, fetch, options);
  const [firstReader] = readers as [StoreConnection];

  return {
    append: (request, done) => appends.submit(request, done),
    saveReceipts: (writes, done) => dealt(receiptLanes, writes[0]?.chatId ?? '').submit(writes, done),
    claimDirect: (claim, done) => claims.submit(claim, done),
    createChat: (request, done) => creations.submit(request, done),
    changeMember: (request, done) => changes.submit(request, done),
    openDevice: (request, done) => devices.submit(request, done),
    confirmDevice: (request) => confirmations.submit(request, () => {}),
    loadChat: (request, done) => loads.submit(request, done),
    listChats: (request, done) => lists.submit(request, done),
    fetch,
    fetchHistory: history?.fetch ?? fetch,
    readMembers: (request, done) => members.submit(request, done),
    readHeads: (request, done) => heads.submit(request, done),
    countReceipts: (request, done) => counts.submit(request, done),
    readOutbox: (request, done) => outbox.submit(request, done),
    deleteOutbox: (ids, done) => deletions.submit(ids, done),
    ...mediaQueries(control, firstReader),
    ...storeQueries(control, firstReader, connections.all, instanceClass),
    async close() {
      await history?.close();
      await Promise.all(lanes.map((each) => each.close()));
      await Promise.all(connections.all.map((connection) => connection.close()));
    },
  };
}

function dealt<Lane>(lanes: readonly Lane[], key: string): Lane {
  return lanes[hashText(key) % lanes.length] as Lane;
}

interface Connections {
  readonly append: readonly StoreConnection[];
  readonly receipts: readonly StoreConnection[];
  readonly control: StoreConnection;
  readonly readers: readonly StoreConnection[];
  readonly relay: StoreConnection;
  readonly deleter: StoreConnection;
  readonly all: readonly StoreConnection[];
}

function openConnections(options: PostgresStoreOptions, limits: PostgresLimits): Connections {
  const all: StoreConnection[] = [];
  const open = (name: string, unflushed = false): StoreConnection => {
    const { connectionString, log } = options;
    const connection = new StoreConnection({ name, connectionString, limits, log, unflushed });
    all.push(connection);
    return connection;
  };
  const several = (name: string, count: number): readonly StoreConnection[] =>
    Array.from({ length: count }, (_, i) => open(`${name} ${i}`));
  return {
    append: several('append', limits.appendLanes),
    receipts: several('receipts', limits.receiptLanes),
    control: open('control'),
    readers: several('read', limits.readLanes),
    relay: open('outbox read'),
    // A row that a crash brings back is published again, which the recipients do not notice.
    deleter: open('outbox delete', true),
    all,
  };
}

async function allReady(
  connections: readonly StoreConnection[],
  all: readonly StoreConnection[],
  timeoutMs: number,
): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      // Worth waiting for: others may have them all now, and give them back.
      () => reject(new Error(`PostgreSQL gave no ${connections.length} connections in ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    const ready = connections.map(
      (connection) => new Promise<void>((resolve) => connection.readyListeners.push(() => resolve())),
    );
    for (const connection of connections) connection.open();
    await Promise.race([Promise.all(ready), late]);
  } catch (error) {
    await Promise.all(all.map((connection) => connection.close()));
    throw error;
  } finally {
    clearTimeout(timer);
  }
}
