import type { MessageStore } from '../../ports/message-store.ts';
import { appendBehaviours } from './contract/append-behaviours.ts';
import { chatBehaviours } from './contract/chat-behaviours.ts';
import { deviceBehaviours } from './contract/device-behaviours.ts';
import { largeChatBehaviours } from './contract/large-chat-behaviours.ts';
import { mediaBehaviours } from './contract/media-behaviours.ts';
import { outboxBehaviours } from './contract/outbox-behaviours.ts';
import { readBehaviours } from './contract/read-behaviours.ts';
import { receiptBehaviours } from './contract/receipt-behaviours.ts';
import { type ShardOf, StoreUnderTest } from './contract/store-under-test.ts';

/** One thing that every message store does. `run` rejects with an AssertionError when this one does not. */
export interface StoreBehaviour {
  readonly name: string;
  run(): Promise<void>;
}

/** A behaviour before it knows which store it is about. */
export type Behaviour = readonly [name: string, run: (store: StoreUnderTest) => Promise<void>];

/**
 * What core/contract/store.ts and runtime/ports/message-store.ts promise, as behaviours to run against any store: it
 * knows no engine and no test runner.
 * @param makeStore called once a behaviour; may give the same store each time, since ids are never used twice.
 * @param receiptMembers the limit that the store was made with.
 * @param shardOf for a store over several shards.
 */
export function messageStoreContract(
  makeStore: () => Promise<MessageStore>,
  receiptMembers: number,
  shardOf?: ShardOf,
): readonly StoreBehaviour[] {
  const behaviours: readonly Behaviour[] = [
    ...appendBehaviours,
    ...chatBehaviours(receiptMembers),
    ...readBehaviours,
    ...deviceBehaviours,
    ...receiptBehaviours,
    ...outboxBehaviours,
    ...largeChatBehaviours,
    ...mediaBehaviours,
  ];
  return behaviours.map(([name, run]) => ({
    name,
    run: async () => run(await StoreUnderTest.of(await makeStore(), shardOf)),
  }));
}
