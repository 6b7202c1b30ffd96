/** Limits of the links of one process, each with its reason. */
export interface LinkLimits {
  /** A batch is closed when it has reached this many characters: small enough that reading one never holds up a process for long. */
  readonly batchBytes: number;
  /** Milliseconds from one writing to the next, of this process to all others; after a silence there is nothing to wait for. */
  readonly gapMs: number;
  /** Batches given to the stream and not yet taken by HTTP/2. What is said meanwhile gathers in the next batch. */
  readonly writesInFlight: number;
  /** Characters that wait for one peer; beyond it pushes are answered `unreachable` and the rest is dropped. */
  readonly queueBytes: number;
  /** Largest item. A create-chat with 10,000 members has 250 kB, a message 90 kB. */
  readonly itemBytes: number;
  /** Pushes given to one peer and not answered; a worker has at most `deliveryTasks` of them, and they time out there. */
  readonly unanswered: number;
  /** Milliseconds for connecting, TLS and both hellos. */
  readonly dialTimeoutMs: number;
  /** First and largest delay before a lost peer is dialled again; full jitter. */
  readonly redialBaseMs: number;
  readonly redialMaxMs: number;
  /** HTTP/2 pings go out this often, and the connection is given up when one is not answered for `keepaliveTimeoutMs`. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Milliseconds in which a peer must take at least one of the batches that wait for it, else the stream is broken off. */
  readonly writeTimeoutMs: number;
  /** Milliseconds after which a push without an answer is forgotten: several times the `pushTimeout` of a worker. */
  readonly forgetMs: number;
  /** Hints to relays are at least this far apart. */
  readonly hintMs: number;
  /** Requests for a region without a known service wait for one, so many and so many milliseconds: over a heartbeat of the directory. */
  readonly heldRequests: number;
  readonly holdMs: number;
  /** HTTP/2 window of a stream: what may be under way, so batches of 50 MB/s fit a round trip of 20 ms. */
  readonly windowBytes: number;
  /** Certificate files are read again this often: so soon a renewed one is in use. */
  readonly rereadMs: number;
  /** Milliseconds that `close` waits for what has been said to be taken. */
  readonly flushMs: number;
}

export const DEFAULT_LINK_LIMITS: LinkLimits = {
  batchBytes: 64 * 1024,
  gapMs: 10,
  writesInFlight: 2,
  queueBytes: 8 * 1024 * 1024,
  itemBytes: 1024 * 1024,
  unanswered: 50_000,
  dialTimeoutMs: 3_000,
  redialBaseMs: 100,
  redialMaxMs: 5_000,
  keepaliveMs: 3_000,
  keepaliveTimeoutMs: 2_000,
  writeTimeoutMs: 5_000,
  forgetMs: 30_000,
  hintMs: 15,
  heldRequests: 2_000,
  holdMs: 2_500,
  windowBytes: 1024 * 1024,
  rereadMs: 60_000,
  flushMs: 1_000,
};
