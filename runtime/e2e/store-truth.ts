import {
  clientMsgId,
  deviceId,
  mediaId,
  type ChatId,
  type ClientMsgId,
  type ServerMsgId,
  type UserId,
} from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import {
  OPEN_END,
  type ChatRecord,
  type ReceiptRecord,
  type StoredMessage,
} from '../../core/contract/records.ts';
import { micros } from '../../core/contract/time.ts';
import { createLogger } from '../observability/logger.ts';
import type { Done, MessageStore } from '../ports/message-store.ts';
import { openEmbeddedStore } from '../server/open-embedded-store.ts';
import type { FleetDevice } from './fleet.ts';
import type { Sighting } from './witness.ts';

/** What the store holds of one chat. */
export interface ChatTruth {
  readonly chat: ChatRecord;
  readonly messages: readonly StoredMessage[];
  /** How far each member's messages are delivered and read, where that was looked at. */
  readonly watermarks?: readonly ReceiptRecord[];
}

const PAGE = 1_000;
const PAGE_BYTES = 4 * 1024 * 1024;
/** Largest page of the HTTP API. */
const HTTP_PAGE = 256;

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
    const page = await called(store.fetch.bind(store), {
      userId,
      chatId,
      afterSeq,
      limit: PAGE,
      bytes: PAGE_BYTES,
    });
    if (page.outcome !== 'ok') throw new Error(`the store cannot read ${chatId}: ${page.outcome}`);
    for (const message of page.messages) bySeq.set(message.seq, message);
    const last = page.messages.at(-1);
    if (last === undefined || last.seq <= afterSeq) return;
    afterSeq = last.seq;
  }
}

function called<Request, Result>(
  call: (request: Request, done: Done<Result>) => void,
  request: Request,
): Promise<Result> {
  return new Promise((resolve) => call(request, resolve));
}

/**
 * The same of a server that runs and whose store cannot be opened: through the HTTP API, as each member. It does not tell
 * which send a message was, so that is taken from what the senders were told: of a send that nobody acknowledged it cannot be
 * seen that it was stored twice. Where the databases can be reached, `shard-truth.ts` sees that.
 */
export async function readHttpTruth(
  devices: readonly FleetDevice[],
  chats: readonly ChatId[],
  sightings: readonly Sighting[],
): Promise<ChatTruth[]> {
  const sends = new Map<ServerMsgId, ClientMsgId>();
  for (const { observation } of sightings) {
    if (observation.kind === 'acked') sends.set(observation.serverMsgId, observation.clientMsgId);
  }
  const truths: ChatTruth[] = [];
  for (const chatId of chats) truths.push(await readChatOverHttp(devices, chatId, sends));
  return truths;
}

async function readChatOverHttp(
  devices: readonly FleetDevice[],
  id: ChatId,
  sends: ReadonlyMap<ServerMsgId, ClientMsgId>,
): Promise<ChatTruth> {
  const reader = await memberOf(devices, id);
  const info = await reader.http.chat(id);
  const messages: StoredMessage[] = [];
  for (let afterSeq = 0; afterSeq < info.head; ) {
    const page = await reader.http.history(id, afterSeq, HTTP_PAGE);
    for (const { sentAt, fromDevice, mediaIds, ...message } of page.messages) {
      messages.push({
        chatId: id,
        seq: message.seq,
        serverMsgId: message.serverMsgId,
        from: message.from,
        ciphertext: message.ciphertext,
        clientMsgId: sends.get(message.serverMsgId) ?? clientMsgId(`unanswered ${message.serverMsgId}`),
        fromDevice: deviceId(fromDevice),
        mediaIds: mediaIds.map(mediaId),
        sentAt: micros(Date.parse(sentAt) * 1_000),
      });
    }
    const last = messages.at(-1)?.seq ?? 0;
    if (last <= afterSeq) break;
    afterSeq = last;
  }
  // The API shows who is a member, not since when: right for chats whose members never changed.
  const spans = [{ after: 0, upTo: OPEN_END }];
  const members = info.members.map(({ userId, role }) => ({ userId, role, spans }));
  return { chat: { chatId: id, kind: info.kind, head: info.head, version: 0, members }, messages };
}

async function memberOf(devices: readonly FleetDevice[], id: ChatId): Promise<FleetDevice> {
  for (const device of devices) {
    const found = await device.http.chat(id).catch(() => undefined);
    if (found?.member === true) return device;
  }
  throw new Error(`no device of the fleet is in ${id}`);
}
