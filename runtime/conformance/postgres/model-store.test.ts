import { describe, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../../core/contract/limits.ts';
import { messageStoreContract } from '../../adapters/postgres/message-store.contract.ts';
import { ModelStore } from './model-store.ts';

/**
 * The simulator's message store must do what the real one does, or what it proves says nothing about production. The same
 * behaviours that PostgreSQL is held to are run against the model here; what happens when things go wrong is in the scripts.
 */
describe('the message store of the simulator', () => {
  for (const { name, run } of messageStoreContract(
    async () => new ModelStore(),
    DEFAULT_LIMITS.receiptMembers,
  )) {
    test(name, run);
  }
});
