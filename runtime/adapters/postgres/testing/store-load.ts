import type { StoredMessage } from '../../../../core/contract/records.ts';
import type { StoreUnderTest, TestChat } from '../contract/store-under-test.ts';

/** How the appends of a load ended, as its writers saw them. */
export interface LoadTally {
  readonly acked: readonly StoredMessage[];
  readonly failed: number;
  readonly unknown: number;
  readonly stale: number;
}

/**
 * Writers that append one message at a time to each chat and never take an outcome for granted: what is `unknown` or
 * `stale` is looked up, what `failed` is sent again with the same key. For tests.
 * @param writers writers a chat; more than one fight for its seqs.
 * @param more asked before each message.
 */
export async function appendUnderLoad(
  stores: readonly StoreUnderTest[],
  chats: readonly TestChat[],
  writers: number,
  more: () => boolean,
): Promise<LoadTally> {
  const tally = { acked: [] as StoredMessage[], failed: 0, unknown: 0, stale: 0 };
  const writeTo = async (chat: TestChat, store: StoreUnderTest): Promise<void> => {
    const view = { ...chat };
    while (more()) {
      const draft = store.message(view, 0);
      for (let settled = false; !settled; ) {
        const message = { ...draft, seq: view.head + 1 };
        const result = await store.append(store.request(view, [message]));
        if (result.outcome === 'ok') {
          view.head++;
          tally.acked.push(message);
          settled = true;
        } else if (result.outcome === 'failed') tally.failed++;
        else {
          if (result.outcome === 'unknown') tally.unknown++;
          if (result.outcome === 'stale') tally.stale++;
          const loaded = await store.load(view.chatId, [message]);
          if (loaded.outcome !== 'ok') continue;
          view.head = loaded.chat.head;
          const [found] = loaded.found;
          if (found !== undefined) {
            tally.acked.push({ ...message, ...found });
            settled = true;
          }
        }
      }
    }
  };
  const running: Promise<void>[] = [];
  for (const chat of chats) {
    for (let i = 0; i < writers; i++) {
      running.push(writeTo(chat, stores[i % stores.length] as StoreUnderTest));
    }
  }
  await Promise.all(running);
  return tally;
}
