import { MILLISECOND, MINUTE, SECOND } from './time.ts';

/**
 * Every limit of every machine, with its reason. What is over a limit is refused with an error, or deferred to the
 * store; nothing is dropped silently. The simulator shrinks these (window 1, batch 1, timeouts a hundredth) to make
 * rare paths common, so machines take a `Limits` and never read `DEFAULT_LIMITS` themselves.
 *
 * Durations are integer microseconds, sizes are bytes, the rest are counts.
 */
export interface Limits {
  // --- wire
  /** Largest text frame a gateway reads: 64 KiB of ciphertext in base64 is 87,384 characters, the rest is for the other fields. */
  readonly frameBytes: number;
  /** Largest decoded ciphertext (PROTOCOL: 64 KiB); larger payloads belong in media. */
  readonly ciphertextBytes: number;
  readonly mediaPerMessage: number;
  /** Chats named in one RESUME, and listed in one WELCOME. */
  readonly chatsPerDevice: number;

  // --- media
  /** Largest object that is uploaded with one request. */
  readonly mediaBytes: number;
  /** How long an upload or download may begin after its URL was signed. */
  readonly mediaUrlLifetime: number;

  // --- device
  /** Chats that one RESUME names: those whose cursor the server does not know. 36 bytes each must fit into `frameBytes`. */
  readonly resumeCursors: number;
  /** Sends that wait for an ACK; beyond it the SDK refuses a new send. */
  readonly deviceOutbox: number;
  /** Sends under way at once in chats that answer, and one in each that does not; the rest wait in the outbox, in order. */
  readonly deviceSendWindow: number;
  /** Messages that arrived ahead of a hole, per chat; beyond it they are dropped and fetched again by SYNC. */
  readonly deviceAhead: number;
  /** How long a send waits for its ACK before it is sent again (same clientMsgId); doubles up to `sendRetryMax`. */
  readonly sendRetry: number;
  readonly sendRetryMax: number;
  /** How long a hole may stay before the device asks SYNC: the missing message is usually already on its way. */
  readonly gapPatience: number;
  /** It doubles, with jitter, up to this while SYNC brings nothing: a path that is slow must not fill with stale requests. */
  readonly gapPatienceMax: number;
  /** Receipts are gathered this long, or this many messages, so that a burst costs one frame. */
  readonly receiptDelay: number;
  readonly receiptBatch: number;
  /** READs that a new connection says again at SYNCED, and with each heartbeat: a quarter of `frameBurst`. */
  readonly readPage: number;
  /** First and largest reconnect delay; full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"). */
  readonly reconnectBase: number;
  readonly reconnectMax: number;
  /** A connection attempt that has not reached WELCOME by then is given up. */
  readonly connectTimeout: number;
  /** WebSocket attempts in a row that end before WELCOME until the device falls back to long polling. */
  readonly websocketAttempts: number;
  /** A device that polls tries a WebSocket again after this long; doubles up to `websocketRetryMax`. */
  readonly websocketRetry: number;
  readonly websocketRetryMax: number;

  // --- session
  /** The device pings this often; a session that heard nothing for `silence` is closed as half-open. */
  readonly heartbeat: number;
  readonly silence: number;
  /** A session by long polling is gone after this long without a poll (PROTOCOL: 60 s). Longer than `pollWait`. */
  readonly pollSilence: number;
  /** The longest that one poll may wait for frames; proxies cut requests that idle for a minute. */
  readonly pollWait: number;
  /** Frames in one response to a poll, as text; one frame goes whatever its size. What is lost with a response is sent again. */
  readonly pollResponseBytes: number;
  /** Frames that one request of a poll session brings. The SDK sends half of that: a server may be set tighter than it knows. */
  readonly pollFrames: number;
  /** Characters of the frames that the SDK puts into one request: the largest frame goes, and a server reads 256 KiB. */
  readonly pollRequestBytes: number;
  /** How long the SDK asks a poll to wait, and how much longer any of its requests may take until it counts as lost. */
  readonly pollPatience: number;
  readonly pollGrace: number;
  /** Polls in a row that may fail: what was lost with one comes with the next. After that the connection counts as broken. */
  readonly pollRetries: number;
  /** How long the SDK waits before it asks again, for each failure in a row. */
  readonly pollRetry: number;
  /** The answer to a connect that resumes waits this long for the first frame behind WELCOME: a page of the store takes less. */
  readonly pollReplayStart: number;
  /** MESSAGE frames pushed and not yet covered by a DELIVERED receipt, per connection: the memory a slow client may hold. */
  readonly inFlightMessages: number;
  readonly inFlightBytes: number;
  /** Bytes written to a socket that the peer has not taken; beyond it the session is closed as `slow_consumer`. */
  readonly socketBufferBytes: number;
  /**
   * Attempts of one opening step (epoch, list) before the device is sent away to try again: two seconds with `sessionRetry`,
   * after which another gateway may have better luck.
   */
  readonly openingAttempts: number;
  /** Time a device has for RESUME after WELCOME before ERROR, and as long again before close 4002. */
  readonly resumeTimeout: number;
  /** Requests of one session that wait for the message service. */
  readonly sessionRequests: number;
  readonly requestTimeout: number;
  /** Own seqs remembered ahead of what was pushed, per chat; one more is merely pushed to its own sender, who drops it. */
  readonly ownAhead: number;
  /** SYNC requests of one session that wait. */
  readonly sessionSyncs: number;
  /** Frames that break the schema, per connection, before close 4008. */
  readonly badFrames: number;
  /** Replay page: large enough to fill the in-flight window, small enough for one frame of the store. */
  readonly fetchPage: number;
  /**
   * Ciphertext in one page of the store, base64 characters: many sessions read at once, and 256 of the largest messages are
   * 22 MiB. Not less than one message, which goes whatever its size.
   */
  readonly fetchBytes: number;
  /** Largest `limit` of SYNC and history. */
  readonly syncPage: number;
  /** Replays reading the store at once, per gateway: a mass reconnect must not overload the store with replay queries. */
  readonly gatewayFetches: number;
  readonly gatewaySessions: number;
  /** GOAWAY spreads reconnects over this long when a gateway drains. */
  readonly drainSpread: number;
  /** A draining gateway closes what is left after this long. */
  readonly drainTimeout: number;
  /**
   * Receipts that were told to others while a device was away go out so many at a time, a `sessionRetry` apart, and at most
   * an eighth of what a socket's buffer takes.
   */
  readonly receiptPage: number;
  /** Delay before a failed store or registry call of a session is tried again. */
  readonly sessionRetry: number;
  /**
   * The delay doubles with each failure of one chat, up to this: 50,000 sessions must not ask a shard that is silent four
   * times a second each, and when it is back nobody waits long.
   */
  readonly sessionRetryMax: number;
  /** A gateway whose reads have all failed for this long sends who needs the store elsewhere: a failover takes less. */
  readonly storePatience: number;
  /** Chats a session may have on screen at once. */
  readonly openChats: number;
  /** Pushes of a session that wait for its device to prove that it lives. One more ends the oldest: its worker asks elsewhere. */
  readonly heldPushes: number;

  // --- rates: token buckets; `…Interval` is the time in which one token comes back (0: no limit), `…Burst` a full bucket
  /** SENDs of one device, and of all devices of one user, at one gateway. No person writes that fast; a bridge may. */
  readonly deviceSendInterval: number;
  readonly deviceSendBurst: number;
  readonly userSendInterval: number;
  readonly userSendBurst: number;
  /**
   * Other frames of one connection that nothing of the server's asked for (OPEN, CLOSE, TYPING, SYNC, PING, RECEIPTs that
   * cover nothing in flight). Receipts that open the window cost nothing: the server's own pace limits them.
   */
  readonly frameInterval: number;
  readonly frameBurst: number;
  /** Who is refused for a rate waits at least this long: long enough for a bucket to be worth the next try. */
  readonly ratePause: number;
  /**
   * Refusals of one connection that may be accidents; as many come back in `refusalPauses`. An honest device is refused a send
   * window in a pause. Beyond it close 4008.
   */
  readonly rateRefusals: number;
  /** Pauses in which all of a connection's `rateRefusals` come back: who keeps asking without a pause is found in that time. */
  readonly refusalPauses: number;
  /** Connections that one address opens at one gateway: tens of thousands may share one behind a carrier's NAT. */
  readonly addressConnectInterval: number;
  readonly addressConnectBurst: number;
  /** Connections that one user opens at one gateway: some devices that flap, not a loop without a delay. */
  readonly userConnectInterval: number;
  readonly userConnectBurst: number;
  /** Requests to one HTTP server. */
  readonly httpUserInterval: number;
  readonly httpUserBurst: number;
  readonly httpAddressInterval: number;
  readonly httpAddressBurst: number;
  /**
   * Requests of one user that one HTTP server carries out at once. Each may hold a page of history in memory until its peer
   * has taken it; sixteen devices of a user that poll, with two requests each, are within it.
   */
  readonly httpUserRequests: number;
  /** Buckets that one process remembers of each kind. */
  readonly rateBuckets: number;

  // --- lease and presence
  /** Registry entries live this long without renewal; three heartbeats survive two lost renewals. */
  readonly leaseTtl: number;
  readonly leaseRenew: number;
  /**
   * An expired entry is kept this long: it still fences older epochs, and tells a holder that comes late what it missed.
   * Longer than any renewal can be late and its session still be there.
   */
  readonly leaseMemory: number;
  /**
   * How often, between once and twice this long, a session reads the heads of its chats although nothing seems amiss. An event that the queue lost (retention
   * ran out, an offset was committed ahead of the work) is found by the next message of its chat, and by this when none
   * comes. 50,000 sessions of a gateway cost 20 lists a second.
   */
  readonly headsReread: number;
  /**
   * A list that lacks the chats of a silent shard is read again after one renewal, then after up to 2, 4, … and at most so
   * many: 50,000 sessions would read every shard that answers 3,000 times a second. When the shard is back, its chats follow
   * within a minute, or with the first message of one of them.
   */
  readonly relistRenewals: number;
  /** Entries renewed in one registry call. */
  readonly renewBatch: number;
  /** How often a watched user's presence is read again even when no hint came: hints may drop silently. */
  readonly presenceRefresh: number;
  /** Members of a chat on screen are asked for again after this many presence timers: who joined meanwhile is to be seen as well. */
  readonly membersRefresh: number;
  /** A user without a session stays ONLINE this long, so that a handover or a reconnect does not flap. */
  readonly presenceGrace: number;
  /** Members whose presence one OPEN watches; larger groups show none. */
  readonly presenceMembers: number;

  // --- sequencer
  /** Chats kept loaded by one message service; idle ones are forgotten first. */
  readonly loadedChats: number;
  /** Submits waiting for one chat, and for one service, before `overloaded`. */
  readonly chatBacklog: number;
  readonly serviceBacklog: number;
  /** Who is refused because something is full or does not answer waits at least this long: a full queue is worked off by then. */
  readonly overloadRetry: number;
  /** Connections that wait for the answer of one send: the latest are the ones that may still be there. */
  readonly replyTos: number;
  /** Chats that one service reads again for one user who turns out to be no member of them: one comes back each interval. */
  readonly strangerInterval: number;
  readonly strangerBurst: number;
  /** Messages of one chat in one append. */
  readonly appendBatch: number;
  /** Answers remembered per chat, so that most retries need no store read. The store itself remembers for ever. */
  readonly recentSends: number;
  readonly chatMembers: number;
  /** Times that one user may have come to a chat; each is remembered for ever, and every list and read of his carries them. */
  readonly memberSpans: number;
  /** Store attempts for one submit before the sender is told `unavailable` (and retries with the same clientMsgId). */
  readonly appendAttempts: number;
  readonly storeRetry: number;

  // --- receipts
  /** Receipts that wait for the store, per service; each shard has an even share. */
  readonly receiptsPending: number;
  readonly receiptsBatch: number;
  /** Receipts go out one by one to members of chats up to this size; in larger ones senders are told how many there are. */
  readonly receiptMembers: number;
  /** Newest messages of a large chat that are counted; older ones on query. One count reads every member's watermark. */
  readonly countedMessages: number;
  /** A large chat is counted at most this often. */
  readonly countInterval: number;

  // --- relay and fan-out
  readonly outboxBatch: number;
  /** Outbox rows read and not yet deleted, per relay. */
  readonly relayInFlight: number;
  /**
   * Events of one publish. A queue refuses a call that is more than it holds, and one read of the outbox may be 512 rows of
   * 256 recipients: 131,072 events, more than Kafka's publisher lets wait (100,000). What one lost acknowledgement repeats
   * is this many. At least 1.
   */
  readonly publishEvents: number;
  /** Publishes under way, per relay: enough that the queue never waits for the relay, and 65,536 events of its memory. */
  readonly relayPublishes: number;
  /** How often the outbox is read without a hint. */
  readonly outboxPoll: number;
  readonly relayRetry: number;
  /** Groups up to this size are fanned out from the outbox row; larger ones page through their members. */
  readonly inlineRecipients: number;
  readonly fanOutPage: number;
  /** In larger groups members who are inactive are told nothing: they pull when they come back, or look. */
  readonly hugeGroup: number;
  /**
   * Who has not got any of this many newest messages is inactive. Counted, not timed: a quiet group loses nobody. At least 1:
   * it is by the first messages after he joined that a new member's sessions learn of the group.
   */
  readonly activeDistance: number;
  /** How often a gateway reads the heads of huge groups that somebody has on screen, and of the others. */
  readonly openHeadCheck: number;
  readonly headCheck: number;
  /** Ciphertext up to this many base64 characters travels in each delivery event; longer ones are fetched by the session. */
  readonly inlineCiphertext: number;

  // --- delivery
  /** Delivery events in progress per worker; partitions pause beyond it. */
  readonly deliveryTasks: number;
  /** How long a worker waits for the device's receipt before it looks the session up again. */
  readonly pushTimeout: number;
  /** Attempts for one delivery event before it is left to the device's next RESUME. */
  readonly pushAttempts: number;
  readonly pushRetry: number;
  readonly lookupBatch: number;
}

export const DEFAULT_LIMITS: Limits = {
  frameBytes: 96 * 1024,
  ciphertextBytes: 64 * 1024,
  mediaPerMessage: 16,
  chatsPerDevice: 10_000,

  mediaBytes: 256 * 1024 * 1024,
  mediaUrlLifetime: 15 * MINUTE,

  resumeCursors: 2_000,
  deviceOutbox: 1_000,
  deviceSendWindow: 32,
  deviceAhead: 512,
  sendRetry: 5 * SECOND,
  sendRetryMax: 30 * SECOND,
  gapPatience: 1 * SECOND,
  gapPatienceMax: 16 * SECOND,
  receiptDelay: 20 * MILLISECOND,
  receiptBatch: 64,
  readPage: 250,
  reconnectBase: 250 * MILLISECOND,
  reconnectMax: 20 * SECOND,
  connectTimeout: 10 * SECOND,
  websocketAttempts: 2,
  websocketRetry: 1 * MINUTE,
  websocketRetryMax: 60 * MINUTE,

  heartbeat: 15 * SECOND,
  silence: 40 * SECOND,
  pollSilence: 60 * SECOND,
  pollWait: 30 * SECOND,
  pollResponseBytes: 256 * 1024,
  pollFrames: 256,
  pollRequestBytes: 160 * 1024,
  pollPatience: 25 * SECOND,
  pollGrace: 10 * SECOND,
  pollRetries: 2,
  pollRetry: 500 * MILLISECOND,
  pollReplayStart: 1 * SECOND,
  inFlightMessages: 256,
  inFlightBytes: 1024 * 1024,
  socketBufferBytes: 4 * 1024 * 1024,
  openingAttempts: 8,
  resumeTimeout: 10 * SECOND,
  sessionRequests: 256,
  requestTimeout: 10 * SECOND,
  ownAhead: 256,
  sessionSyncs: 8,
  badFrames: 20,
  fetchPage: 128,
  fetchBytes: 256 * 1024,
  syncPage: 256,
  gatewayFetches: 256,
  gatewaySessions: 50_000,
  drainSpread: 10 * SECOND,
  drainTimeout: 25 * SECOND,
  receiptPage: 1_024,
  sessionRetry: 250 * MILLISECOND,
  sessionRetryMax: 8 * SECOND,
  storePatience: 30 * SECOND,
  openChats: 16,
  heldPushes: 1_000,

  deviceSendInterval: 4 * MILLISECOND,
  deviceSendBurst: 500,
  userSendInterval: 2 * MILLISECOND,
  userSendBurst: 1_000,
  frameInterval: 10 * MILLISECOND,
  frameBurst: 1_000,
  ratePause: 1 * SECOND,
  rateRefusals: 512,
  refusalPauses: 8,
  addressConnectInterval: 5 * MILLISECOND,
  addressConnectBurst: 20_000,
  userConnectInterval: 1 * SECOND,
  userConnectBurst: 100,
  httpUserInterval: 10 * MILLISECOND,
  httpUserBurst: 500,
  httpAddressInterval: 1 * MILLISECOND,
  httpAddressBurst: 20_000,
  httpUserRequests: 32,
  rateBuckets: 200_000,

  leaseTtl: 45 * SECOND,
  leaseRenew: 15 * SECOND,
  leaseMemory: 120 * SECOND,
  headsReread: 30 * MINUTE,
  relistRenewals: 4,
  renewBatch: 512,
  presenceRefresh: 15 * SECOND,
  membersRefresh: 4,
  presenceGrace: 5 * SECOND,
  presenceMembers: 64,

  loadedChats: 200_000,
  chatBacklog: 1_024,
  serviceBacklog: 50_000,
  overloadRetry: 1 * SECOND,
  replyTos: 4,
  strangerInterval: 1 * SECOND,
  strangerBurst: 16,
  appendBatch: 256,
  recentSends: 16,
  chatMembers: 10_000,
  memberSpans: 256,
  appendAttempts: 8,
  storeRetry: 50 * MILLISECOND,

  receiptsPending: 100_000,
  receiptsBatch: 512,
  receiptMembers: 32,
  countedMessages: 16,
  countInterval: 1 * SECOND,

  outboxBatch: 512,
  relayInFlight: 2_048,
  publishEvents: 8_192,
  relayPublishes: 8,
  outboxPoll: 1 * SECOND,
  relayRetry: 100 * MILLISECOND,
  inlineRecipients: 256,
  fanOutPage: 512,
  hugeGroup: 2_000,
  activeDistance: 128,
  openHeadCheck: 2 * SECOND,
  headCheck: 30 * SECOND,
  inlineCiphertext: 4 * 1024,

  deliveryTasks: 20_000,
  pushTimeout: 5 * SECOND,
  pushAttempts: 6,
  pushRetry: 200 * MILLISECOND,
  lookupBatch: 512,
};

/** The longest a healthy recipient may wait after a heal: used by the budget of the convergence oracle. */
export function settleBudget(limits: Limits): number {
  return (
    2 * limits.silence +
    limits.leaseTtl +
    2 * limits.headCheck +
    limits.reconnectMax +
    2 * limits.sendRetryMax +
    limits.gapPatienceMax +
    limits.storePatience +
    1 * MINUTE
  );
}
