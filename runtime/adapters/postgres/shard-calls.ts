import type { ChatId } from '../../../core/contract/ids.ts';
import type { ChatSummary } from '../../../core/contract/records.ts';
import type {
  CreateChatRequest,
  CreateChatResult,
  ListChatsRequest,
  ListChatsResult,
  ReadHeadsRequest,
  ReadHeadsResult,
  ReceiptWrite,
  SaveReceiptsResult,
} from '../../../core/contract/store.ts';
import type { Done } from '../../ports/message-store.ts';
import { type DirectClaimResult, directPairOf, pairKey } from './direct-claim-group.ts';
import { MalformedRequest } from './postgres-id.ts';
import type { ShardLink } from './shard-link.ts';

/** The calls of the sharded store that concern more than one shard. */

/** The shard of an id's slot. */
export type LinkOf = (id: string) => ShardLink;

const FAILED = { outcome: 'failed' } as const;

/**
 * A direct chat is claimed on the shard of its pair's slot, and then created where its id lies; both change nothing when
 * they were done before. So what a crash leaves between the two, a claim without its chat, the next creation completes.
 */
export function createChat(of: LinkOf, request: CreateChatRequest, done: Done<CreateChatResult>): void {
  const create = (own: CreateChatRequest): void =>
    of(own.chatId).write((store, then) => store.createChat(own, then), done);
  if (request.kind !== 'direct') {
    create(request);
    return;
  }
  const pair = pairOf(request);
  if (pair === undefined) {
    setImmediate(() => done(FAILED));
    return;
  }
  const claim = { ...pair, chatId: request.chatId };
  of(pairKey(pair)).write<DirectClaimResult>(
    (store, then) => store.claimDirect(claim, then),
    (result) => {
      if (result.outcome === 'ok') create({ ...request, chatId: result.chatId });
      else done(result);
    },
  );
}

/** Undefined when the members are not two: a request that can never succeed, and is answered as one. */
function pairOf({ members }: CreateChatRequest): ReturnType<typeof directPairOf> | undefined {
  try {
    return directPairOf(members);
  } catch (error) {
    if (error instanceof MalformedRequest) return undefined;
    throw error;
  }
}

/** Asks every shard at once. Those that have not answered by the deadline are left out, and so are those that fail. */
export function listChats(
  links: readonly ShardLink[],
  request: ListChatsRequest,
  deadlineMs: number,
  done: Done<ListChatsResult>,
): void {
  const chats: ChatSummary[] = [];
  let answered = 0;
  let ended = 0;
  let over = false;
  const finish = (): void => {
    over = true;
    clearTimeout(deadline);
    done(answered === 0 ? FAILED : { outcome: 'ok', chats, complete: answered === links.length });
  };
  const deadline = setTimeout(finish, deadlineMs);
  const take = (result: ListChatsResult): void => {
    if (over) return;
    if (result.outcome === 'ok') {
      answered++;
      for (const chat of result.chats) chats.push(chat);
    }
    if (++ended === links.length) finish();
  };
  for (const link of links) link.read((store, then) => store.listChats(request, then), take);
}

/** Heads of chats on shards that do not answer are left out. */
export function readHeads(of: LinkOf, { chatIds }: ReadHeadsRequest, done: Done<ReadHeadsResult>): void {
  const parts = dealt(of, chatIds, (chatId) => chatId);
  const heads: (readonly [ChatId, number])[] = [];
  let answered = 0;
  let missing = parts.size;
  if (missing === 0) setImmediate(() => done({ outcome: 'ok', heads }));
  for (const [link, own] of parts) {
    link.read<ReadHeadsResult>(
      (store, then) => store.readHeads({ chatIds: own }, then),
      (result) => {
        if (result.outcome === 'ok') {
          answered++;
          for (const head of result.heads) heads.push(head);
        }
        if (--missing === 0) done(answered === 0 ? FAILED : { outcome: 'ok', heads });
      },
    );
  }
}

function dealt<Item>(
  of: LinkOf,
  items: readonly Item[],
  idOf: (item: Item) => string,
): ReadonlyMap<ShardLink, readonly Item[]> {
  const parts = new Map<ShardLink, Item[]>();
  for (const item of items) {
    const link = of(idOf(item));
    const part = parts.get(link);
    if (part === undefined) parts.set(link, [item]);
    else part.push(item);
  }
  return parts;
}

/** Writes about chats of several shards are split; each shard keeps the order of its own. */
export function saveReceipts(
  of: LinkOf,
  writes: readonly ReceiptWrite[],
  done: Done<SaveReceiptsResult>,
): void {
  const parts = dealt(of, writes, ({ chatId }) => chatId);
  if (parts.size === 0) {
    setImmediate(() => done({ outcome: 'ok' }));
    return;
  }
  const outcomes: SaveReceiptsResult[] = [];
  for (const [link, part] of parts) {
    link.write<SaveReceiptsResult>(
      (store, then) => store.saveReceipts(part, then),
      (result) => {
        outcomes.push(result);
        if (outcomes.length === parts.size) done(joined(outcomes));
      },
    );
  }
}

/** All went well, nothing happened at all, or one cannot tell. */
function joined(outcomes: readonly SaveReceiptsResult[]): SaveReceiptsResult {
  const all = (outcome: string): boolean => outcomes.every((each) => each.outcome === outcome);
  if (all('ok')) return { outcome: 'ok' };
  return all('failed') ? FAILED : { outcome: 'unknown' };
}
