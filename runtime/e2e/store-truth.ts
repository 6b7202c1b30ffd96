import type { ChatId, UserId } from '../../core/contract/ids.ts';
import type { ChatRecord, StoredMessage } from '../../core/contract/records.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { createLogger } from '../observability/logger.ts';
import type { Done, MessageStore } from '../ports/message-store.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';

/** What the store of a stopped server holds of one chat. */
export interface ChatTruth {
  readonly chat: ChatRecord;
  readonly messages: readonly StoredMessage[];
}

const PAGE = 1_000;

/** Opens the data folder of a server that has ended and reads chats with all their members and messages. */
export async function readStoreTruth(dataDir: string, chats: readonly ChatId[]): Promise<ChatTruth[]> {
  const log = createLogger('error', 'truth');
  const store = await openEmbeddedStore({ dataDir, limits: DEFAULT_LIMITS, log });
  try {
    const truths: ChatTruth[] = [];
    for (const chatId of chats) truths.push(await readChat(store, chatId));
    return truths;
  } finally {
    await store.close();
  }
}

async function readChat(store: MessageStore, chatId: ChatId): Promise<ChatTruth> {
  const loaded = await called(store.loadChat.bind(store), { chatId, sends: [] });
  if (loaded.outcome !== 'ok') throw new Error(`the store cannot read ${chatId}: ${loaded.outcome}`);
  const { chat } = loaded;
  // A fetch shows what one user may see; together the members see everything.
  const bySeq = new Map<number, StoredMessage>();
  for (const { userId } of chat.members) await readAs(store, chat, userId, bySeq);
  return { chat, messages: [...bySeq.values()].sort((a, b) => a.seq - b.seq) };
}

async function readAs(
  store: MessageStore,
  { chatId, head }: ChatRecord,
  userId: UserId,
  bySeq: Map<number, StoredMessage>,
): Promise<void> {
  if (bySeq.size === head) return;
  for (let afterSeq = 0; afterSeq < head; ) {
    const page = await called(store.fetch.bind(store), { userId, chatId, afterSeq, limit: PAGE });
    if (page.outcome !== 'ok') throw new Error(`the store cannot read ${chatId}: ${page.outcome}`);
    for (const message of page.messages) bySeq.set(message.seq, message);
    const last = page.messages.at(-1);
    if (last === undefined || last.seq <= afterSeq) return;
    afterSeq = last.seq;
  }
}

function called<Request, Result>(call: (request: Request, done: Done<Result>) => void, request: Request): Promise<Result> {
  return new Promise((resolve) => call(request, resolve));
}
