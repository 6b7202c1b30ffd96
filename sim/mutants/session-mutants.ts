import type { Mutant } from './mutant.ts';

const REPLAY = 'core/session/replay.ts';
const OPENING = 'core/session/session-opening.ts';

/** Bugs of the gateway's sessions and their leases. */
export const SESSION_MUTANTS: readonly Mutant[] = [
  {
    name: 'new-device-opens-with-half-a-list',
    file: OPENING,
    find: 'return complete || session.confirmed;',
    replace: 'return true;',
    story: 'A new device starts in the chats of a shard that answers late behind what was sent meanwhile.',
    expected: ['cursors-never-regress'],
  },
  {
    name: 'late-chat-starts-at-its-head',
    file: OPENING,
    find: 'startFrom(view, Math.min(named ?? chat.cursor, view.head));',
    replace: 'startFrom(view, view.head);',
    story: 'A chat that joins an open session because its shard answers at last is taken as read.',
    expected: ['cursors-never-regress', 'no-acked-message-lost'],
  },
  {
    name: 'resume-ignores-cursors',
    file: OPENING,
    find: 'const cursor = Math.min(named, visibleHead(view.spans, view.head));',
    replace: 'const cursor = visibleHead(view.spans, view.head);',
    story: 'After a long idle the replay starts at the head, whatever the device has.',
    expected: ['cursors-never-regress', 'no-acked-message-lost'],
  },
  {
    name: 'what-says-nothing-is-left-out',
    file: REPLAY,
    find: 'if (message.seq > view.pushed && canSee(result.spans, message.seq)) {',
    replace:
      "if (message.seq > view.pushed && canSee(result.spans, message.seq) && message.ciphertext !== '') {",
    story:
      'A replay steps over messages whose content retention has dropped, and devices wait for their seqs.',
    expected: ['cursors-never-regress', 'converges', 'no-acked-message-lost'],
  },
  {
    name: 'full-page-taken-for-all',
    file: REPLAY,
    find: 'if (complete && !result.more) covered',
    replace: 'if (complete) covered',
    story: 'A page that ended at its limit or its size is taken for everything up to the head.',
    expected: ['cursors-never-regress', 'converges', 'no-acked-message-lost'],
  },
  {
    name: 'replay-off-by-one',
    file: REPLAY,
    find: '{ chatId: view.chatId, afterSeq: view.pushed }',
    replace: '{ chatId: view.chatId, afterSeq: view.pushed + 1 }',
    story: 'The first message of each page of a replay is left out.',
    expected: ['cursors-never-regress', 'no-acked-message-lost'],
  },
  {
    name: 'live-overtakes-replay',
    file: 'core/session/pushes.ts',
    find: 'message.seq === view.pushed + 1 &&',
    replace: 'message.seq > view.pushed &&',
    story: 'A live message is pushed although one before it has not been.',
    expected: ['cursors-never-regress', 'no-acked-message-lost'],
  },
  {
    name: 'predecessor-is-seq-minus-one',
    file: 'core/sequencing/membership.ts',
    find: 'const candidate = Math.min(seq - 1, span.upTo);',
    replace: 'const candidate = seq - 1;',
    story: 'Who was away sees a hole where there is none, and waits.',
    expected: ['cursors-never-regress', 'converges'],
  },
  {
    name: 'window-not-enforced',
    file: 'core/session/session-state.ts',
    find: 'session.inFlight < gateway.limits.inFlightMessages &&',
    replace: '',
    story: 'A slow client holds as much of the memory of a gateway as there is to push.',
    expected: ['bounded'],
  },
  {
    name: 'window-never-opens-again',
    file: 'core/session/client-frames.ts',
    find: '    session.inFlight--;\n',
    replace: '',
    story: 'Receipts do not free the window: a device gets as many messages as fit in, and then none.',
    expected: ['no-acked-message-lost', 'converges'],
  },
  {
    name: 'receipt-for-sync-ignored',
    file: 'core/session/client-frames.ts',
    find: 'view.flight.find(named) ?? view.beside.find(named)',
    replace: 'view.flight.find(named)',
    story: 'A DELIVERED that names what SYNC brought opens no window: a device with a small one starves.',
    expected: ['no-acked-message-lost', 'converges'],
  },
  {
    name: 'cursor-moved-at-push',
    file: REPLAY,
    find: '  view.flight.push({ seq: message.seq, serverMsgId: message.serverMsgId, bytes });\n',
    replace:
      "  view.flight.push({ seq: message.seq, serverMsgId: message.serverMsgId, bytes });\n  out.push({ kind: 'request', request: { kind: 'receipt', userId: session.userId, deviceId: session.deviceId, chatId: view.chatId, serverMsgId: message.serverMsgId, seq: message.seq, type: 'DELIVERED', at: message.sentAt } });\n",
    story: 'The cursor moves when a message is pushed instead of when the device confirms it.',
    expected: ['receipts-monotone', 'cursors-never-regress'],
  },
  {
    name: 'healed-receipt-names-the-head',
    file: OPENING,
    find: '      seq: view.acked,\n',
    replace: '      seq: view.head,\n',
    story: 'A receipt that a RESUME makes up for confirms messages that the device has never had.',
    expected: ['receipts-monotone', 'cursors-never-regress'],
  },
  {
    name: 'takeover-keeps-the-older',
    file: OPENING,
    find: 'if (other.epoch > session.epoch) {',
    replace: 'if (other.epoch !== session.epoch) {',
    story: 'A user is kicked right after reconnecting, by his own older connection.',
    expected: ['cursors-never-regress', 'converges', 'no-acked-message-lost'],
  },
  {
    name: 'store-read-slot-leaks',
    file: REPLAY,
    find: '  gateway.reads--;\n  const session = gateway.sessions.get(conn);\n  if (session !== undefined && session.reading?.call === call) {',
    replace:
      '  const session = gateway.sessions.get(conn);\n  if (session !== undefined) gateway.reads--;\n  if (session !== undefined && session.reading?.call === call) {',
    story:
      'Devices that leave in the midst of a replay take read slots with them, until the gateway serves nobody.',
    expected: ['converges', 'no-acked-message-lost', 'bounded'],
  },
  {
    name: 'left-members-are-replayed-to',
    file: REPLAY,
    find: 'if (message.seq > view.pushed && canSee(result.spans, message.seq)) {',
    replace: 'if (message.seq > view.pushed) {',
    story: 'Messages sent after a member was removed reach him by the next replay.',
    expected: ['delivered-set-is-membership'],
  },
  {
    name: 'registry-loss-not-noticed',
    file: 'core/session/lease.ts',
    find: "outcome: intact ? 'renewed' : 'recreated',",
    replace: "outcome: 'renewed',",
    story: 'A session whose entry was lost registers again and does not look for what passed it by.',
    expected: ['no-acked-message-lost', 'converges'],
  },
  {
    name: 'missed-push-not-reported',
    file: 'core/session/lease.ts',
    find: ' && !stored.missed;',
    replace: ';',
    story: 'A push that was given up is written down, and nobody tells the session.',
    expected: ['no-acked-message-lost', 'converges'],
  },
];
