import { pino } from 'pino';
import { afterAll, beforeAll, describe, test } from 'vitest';
import type { MessageStore } from '../../ports/message-store.ts';
import { messageStoreContract } from './message-store.contract.ts';
import { createPostgresMessageStore } from './message-store-postgres.ts';
import { type TestDatabase, startTestDatabase } from './testing/test-database.ts';

const log = pino({ level: 'silent' });
const limits = { receiptMembers: 6 };

let database: TestDatabase;
beforeAll(async () => {
  database = await startTestDatabase();
});
afterAll(() => database.stop());

/** Groups of every size: as they come, and so small that every one of them is full. */
for (const [title, postgres] of [
  ['with groups as they come', {}],
  ['with groups of two', { groupCalls: 2, groupItems: 2, appendLanes: 3, receiptLanes: 2 }],
] as const) {
  describe(`the PostgreSQL message store ${title}`, () => {
    let store: MessageStore;
    beforeAll(async () => {
      const { connectionString } = database;
      store = await createPostgresMessageStore({ connectionString, limits, postgres, log });
    });
    afterAll(() => store.close());

    for (const behaviour of messageStoreContract(async () => store, limits.receiptMembers)) {
      test(behaviour.name, () => behaviour.run());
    }
  });
}
