/** Limits of a store over several shards, with their reasons. Milliseconds. */
export interface ShardLimits {
  /** A list of chats goes without a shard that takes longer: the session opens, and lists again. */
  readonly listDeadlineMs: number;
  /** A shard that answered nothing for this long, with calls under way, is asked no more until a probe succeeds. */
  readonly silenceMs: number;
  /** Ceiling of the first and of every later pause between two probes. */
  readonly probeBaseMs: number;
  readonly probeMaxMs: number;
  /** Answers from another region are given up sooner: a cable that was cut does not say so. */
  readonly remoteAnswerMs: number;
}

export const DEFAULT_SHARD_LIMITS: ShardLimits = {
  listDeadlineMs: 2_000,
  silenceMs: 2_000,
  probeBaseMs: 200,
  probeMaxMs: 2_000,
  remoteAnswerMs: 4_000,
};
