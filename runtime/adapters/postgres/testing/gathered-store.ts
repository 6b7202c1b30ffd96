import type { OutboxRow } from '../../../../core/contract/records.ts';
import type { DeleteOutboxResult } from '../../../../core/contract/store.ts';
import type { MessageStore } from '../../../ports/message-store.ts';
import type { ShardedMessageStore } from '../sharded-message-store.ts';

/**
 * The outboxes of all local shards as one, so that what is promised of one store can be asked of many shards: an id that
 * a caller sees is `id * shards + shard`. In service each shard has a relay of its own. For tests.
 */
export function gatheredStore(store: ShardedMessageStore): MessageStore {
  const shards = store.localShards;
  return {
    ...store,
    readOutbox({ limit, inlineCiphertext, except }, done) {
      const rows: OutboxRow[] = [];
      let missing = shards.length;
      let failed = false;
      shards.forEach((shard, at) => {
        const own = except
          .filter((id) => id % shards.length === at)
          .map((id) => Math.floor(id / shards.length));
        shard.store.readOutbox({ limit, inlineCiphertext, except: own }, (result) => {
          if (result.outcome === 'failed') failed = true;
          else for (const row of result.rows) rows.push({ ...row, id: row.id * shards.length + at });
          if (--missing > 0) return;
          const oldest = rows.toSorted((a, b) => a.id - b.id).slice(0, limit);
          done(failed ? { outcome: 'failed' } : { outcome: 'ok', rows: oldest });
        });
      });
    },
    deleteOutbox(ids, done) {
      let missing = shards.length;
      let worst: DeleteOutboxResult = { outcome: 'ok' };
      shards.forEach((shard, at) => {
        const own = ids.filter((id) => id % shards.length === at).map((id) => Math.floor(id / shards.length));
        shard.store.deleteOutbox(own, (result) => {
          if (result.outcome !== 'ok') worst = result;
          if (--missing === 0) done(worst);
        });
      });
    },
  };
}
