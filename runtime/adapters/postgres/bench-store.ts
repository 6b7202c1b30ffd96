import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChatId, ClientMsgId, DeviceId, ServerMsgId, UserId } from '../../../core/contract/ids.ts';
import { OPEN_END, type StoredMessage } from '../../../core/contract/records.ts';
import type { AppendResult, CreateChatResult, SaveReceiptsResult } from '../../../core/contract/store.ts';
import type { Micros } from '../../../core/contract/time.ts';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import type { MessageStore } from '../../ports/message-store.ts';

export interface StoreBenchOptions {
  /** Direct chats that append at the same time; each has one append under way, like a message service. */
  readonly concurrencies: readonly number[];
  /** Length of each measurement. */
  readonly secondsEach: number;
  /** Ciphertext of a message, in bytes. */
  readonly messageBytes: number;
  readonly onResult: (result: StoreBenchResult) => void;
}

export interface StoreBenchResult {
  readonly what: 'appends' | 'receipts';
  readonly concurrency: number;
  /** Durable and answered `ok`. */
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

/**
 * Measures durable writes per second: appends of one message each to many direct chats, then a DELIVERED receipt for
 * each of them, while a relay empties the outbox, as it does in service.
 */
export async function benchStore(
  store: MessageStore,
  options: StoreBenchOptions,
): Promise<readonly StoreBenchResult[]> {
  const largest = Math.max(...options.concurrencies);
  const chats = await createChats(store, largest);
  const relay = startRelay(store);
  const results: StoreBenchResult[] = [];
  const report = (result: StoreBenchResult): void => {
    results.push(result);
    options.onResult(result);
  };
  try {
    for (const concurrency of options.concurrencies) {
      const some = chats.slice(0, concurrency);
      report(
        await measure('appends', some, options, (chat, done) =>
          appendOne(store, chat, options.messageBytes, done),
        ),
      );
      report(await measure('receipts', some, options, (chat, done) => receiptOne(store, chat, done)));
    }
  } finally {
    await relay.stop();
  }
  return results;
}

interface BenchChat {
  readonly chatId: ChatId;
  readonly sender: UserId;
  readonly reader: UserId;
  head: number;
  /** Receipts are measured without appends: their seqs run ahead of the messages. */
  read: number;
}

type Once = (chat: BenchChat, done: (ok: boolean) => void) => void;

async function createChats(store: MessageStore, count: number): Promise<BenchChat[]> {
  const run = (await store.claimInstance()) * 1_000_000;
  const spans = [{ after: 0, upTo: OPEN_END }];
  const chats = Array.from({ length: count }, (_, i): BenchChat => {
    const [sender, reader] = [`u_${run + 2 * i}` as UserId, `u_${run + 2 * i + 1}` as UserId];
    return { chatId: `c_${run + i}` as ChatId, sender, reader, head: 0, read: 0 };
  });
  const created = chats.map((chat) => {
    const members = [chat.sender, chat.reader].map((userId) => ({ userId, role: 'member', spans }) as const);
    return new Promise<CreateChatResult>((resolve) => {
      store.createChat({ chatId: chat.chatId, kind: 'direct', members }, resolve);
    });
  });
  for (const result of await Promise.all(created)) {
    if (result.outcome !== 'ok') throw new Error('the bench could not create its chats');
  }
  return chats;
}

async function measure(
  what: StoreBenchResult['what'],
  chats: readonly BenchChat[],
  { secondsEach }: StoreBenchOptions,
  once: Once,
): Promise<StoreBenchResult> {
  const latencies: number[] = [];
  let failed = 0;
  const startedAt = performance.now();
  const endAt = startedAt + 1000 * secondsEach;
  const one = (chat: BenchChat, finished: () => void): void => {
    const begin = performance.now();
    if (begin >= endAt) {
      finished();
      return;
    }
    once(chat, (ok) => {
      if (ok) latencies.push(performance.now() - begin);
      else failed++;
      one(chat, finished);
    });
  };
  await Promise.all(chats.map((chat) => new Promise<void>((resolve) => one(chat, resolve))));
  const seconds = (performance.now() - startedAt) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return {
    what,
    concurrency: chats.length,
    perSecond: latencies.length / seconds,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    failed,
  };
}

function appendOne(store: MessageStore, chat: BenchChat, bytes: number, done: (ok: boolean) => void): void {
  const seq = chat.head + 1;
  const message: StoredMessage = {
    chatId: chat.chatId,
    seq,
    serverMsgId: `m_${chat.chatId.slice(2)}${String(seq).padStart(7, '0')}` as ServerMsgId,
    clientMsgId: randomUUID() as ClientMsgId,
    from: chat.sender,
    fromDevice: `d_${chat.sender.slice(2)}` as DeviceId,
    ciphertext: Buffer.alloc(bytes, seq).toString('base64'),
    mediaIds: [],
    sentAt: (Date.now() * 1000) as Micros,
  };
  const request = {
    chatId: chat.chatId,
    expectHead: chat.head,
    expectVersion: 0,
    messages: [message],
    recipients: [chat.sender, chat.reader],
  };
  store.append(request, (result: AppendResult) => {
    if (result.outcome === 'ok') chat.head = seq;
    done(result.outcome === 'ok');
  });
}

function receiptOne(store: MessageStore, chat: BenchChat, done: (ok: boolean) => void): void {
  chat.read++;
  const write = {
    chatId: chat.chatId,
    userId: chat.reader,
    deviceId: `d_${chat.reader.slice(2)}` as DeviceId,
    type: 'DELIVERED',
    serverMsgId: `m_${chat.chatId.slice(2)}${String(chat.read).padStart(7, '0')}` as ServerMsgId,
    seq: chat.read,
    at: (Date.now() * 1000) as Micros,
    recipients: [chat.sender],
    counted: false,
  } as const;
  store.saveReceipts([write], (result: SaveReceiptsResult) => done(result.outcome === 'ok'));
}

/** Reads and deletes outbox rows as fast as they come. */
function startRelay(store: MessageStore): { stop(): Promise<void> } {
  let running = true;
  const pump = async (): Promise<void> => {
    while (running) {
      const ids = await new Promise<readonly number[]>((resolve) => {
        store.readOutbox(
          { limit: 512, inlineCiphertext: DEFAULT_LIMITS.inlineCiphertext, except: [] },
          (result) => {
            resolve(result.outcome === 'ok' ? result.rows.map((row) => row.id) : []);
          },
        );
      });
      if (ids.length === 0) await delay(5);
      else await new Promise<void>((resolve) => store.deleteOutbox(ids, () => resolve()));
    }
  };
  const pumping = pump();
  return {
    stop: async () => {
      running = false;
      await pumping;
    },
  };
}
