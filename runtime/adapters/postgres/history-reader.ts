import type { FetchRequest, FetchResult } from '../../../core/contract/store.ts';
import type { Done } from '../../ports/message-store.ts';
import { fetchGroup } from './fetch-group.ts';
import { GroupLane, type LaneOptions } from './group-lane.ts';
import { StoreConnection } from './store-connection.ts';

type Fetch = (request: FetchRequest, done: Done<FetchResult>) => void;

export interface HistoryReader {
  readonly fetch: Fetch;
  close(): Promise<void>;
}

/**
 * Reads history from a physical replica, as long as what it has is enough: a page that is full, by number or by size. A replica is its primary as it was a moment ago, commit by
 * commit; messages never change, and what a removed member may see was decided at or before the seqs that the replica has. So
 * a full page is as true as the primary's; a page that is not full may lack what is new, and the primary is asked.
 *
 * What a replica says of `head` and `size` is old: nothing that must not miss a message may rest on it.
 * @param primary asked when the replica is away, fails, or has less than the whole page.
 */
export function readHistoryFrom(
  connectionString: string,
  primary: Fetch,
  options: LaneOptions,
): HistoryReader {
  const { limits, log } = options;
  const connection = new StoreConnection({ name: 'replica', connectionString, limits, log, replica: true });
  const lane = new GroupLane(fetchGroup, [connection], options);
  // Behind the start of the store: nobody needs it.
  connection.open();
  return {
    fetch(request, done) {
      if (!connection.ready) {
        primary(request, done);
        return;
      }
      lane.submit(request, (result) => {
        if (result.outcome === 'ok' && result.more) done(result);
        else primary(request, done);
      });
    },
    async close() {
      await lane.close();
      await connection.close();
    },
  };
}
