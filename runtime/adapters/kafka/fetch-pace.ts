/** Keeps fetches apart while records come; after a silence there is nothing to wait for. */
export interface FetchPace {
  /** A fetch came back. */
  fetched(batches: number): void;
  /** Settles when the next one may go out. */
  readonly over: Promise<unknown>;
}

/**
 * A broker answers a fetch with the first record that it gets, so that a steady trickle would be a request, a look-up and a
 * wake-up for each publish. What is published while a consumer rests comes with its next fetch, of all partitions at once.
 * @param gapMs from a fetch that brought something to the next, in milliseconds.
 */
export function createFetchPace(gapMs: number): FetchPace {
  let over: Promise<unknown> = Promise.resolve();
  return {
    fetched(batches) {
      if (batches > 0) over = new Promise((resolve) => setTimeout(resolve, gapMs));
    },
    get over() {
      return over;
    },
  };
}
