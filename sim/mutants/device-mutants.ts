import type { Mutant } from './mutant.ts';

const INBOX = 'core/device/inbox.ts';
const OUTBOX = 'core/device/outbox.ts';

/** Bugs of the client's half. */
export const DEVICE_MUTANTS: readonly Mutant[] = [
  {
    name: 'dedup-lost-on-the-device',
    file: INBOX,
    find: 'if (frame.seq <= inbox.cursor) {',
    replace: 'if (frame.seq < inbox.cursor) {',
    story: 'The last message shown is shown again when it is pushed again.',
    expected: ['no-duplicate-shown', 'order-per-chat'],
  },
  {
    name: 'gap-skipped',
    file: INBOX,
    find: 'if (prev > inbox.cursor) {',
    replace: 'if (prev > inbox.cursor + 1) {',
    story:
      'A hole of one message is not seen: a higher seq comes first and the lower one is skipped for ever.',
    expected: ['order-per-chat'],
  },
  {
    name: 'arrival-taken-for-the-sending',
    file: INBOX,
    find: '    sentAt: frame.sentAt,\n',
    replace: '    sentAt: now,\n',
    story:
      'What was written while the device was off is shown as if it had been sent when the device came back.',
    expected: ['order-per-chat'],
  },
  {
    name: 'clocks-decide-what-is-new',
    file: INBOX,
    find: "  out.push({ kind: 'show', message });\n",
    replace:
      "  if (message.from !== device.userId) {\n    if (message.sentAt < (inbox.newest ?? 0)) return;\n    inbox.newest = message.sentAt;\n  }\n  out.push({ kind: 'show', message });\n",
    story:
      'A message with an older time than the last one counts as seen: skew between servers decides the order.',
    expected: [
      'order-per-chat',
      'no-acked-message-lost',
      'converges',
      'cursors-never-regress',
      'receipts-monotone',
    ],
  },
  {
    name: 'hole-never-asked-for',
    file: INBOX,
    find: 'if (!hasHole(inbox)) continue;',
    replace: 'continue;',
    story: 'The device waits for a missing message and never asks SYNC for it.',
    expected: ['no-acked-message-lost', 'converges'],
  },
  {
    name: 'hole-asked-for-without-end',
    file: INBOX,
    find: '  inbox.asks++;\n',
    replace: '',
    story: 'The device repeats SYNC at the same pace, however long it has had no answer: a slow path fills.',
    expected: ['rates-are-fair'],
  },
  {
    name: 'dropped-ahead-forgotten',
    file: INBOX,
    find: 'return inbox.ahead.size > 0 || inbox.dropped > inbox.cursor;',
    replace: 'return inbox.ahead.size > 0;',
    story: 'A message that could not be kept ahead of a hole is never fetched once the hole has closed.',
    expected: ['no-acked-message-lost', 'converges'],
  },
  {
    name: 'receipt-before-shown',
    file: INBOX,
    find: 'accept(device, inbox, message, frame.prev, true, now, out);',
    replace:
      'oweReceipt(device, inbox, frame, out); accept(device, inbox, message, frame.prev, true, now, out);',
    story: 'The device confirms a message when it arrives, not when it is shown.',
    expected: ['receipts-monotone', 'cursors-never-regress'],
  },
  {
    name: 'send-retried-once',
    file: OUTBOX,
    find: "out.push({ kind: 'wake', timer: 'send', after: device.limits.sendRetry });",
    replace: '',
    story: 'The retry timer of the outbox is armed once: a send that is lost twice waits for ever.',
    expected: ['converges'],
  },
  {
    name: 'retry-under-a-new-id',
    file: OUTBOX,
    find: "frame: { frame: 'SEND', clientMsgId, chatId, ciphertext, mediaIds },",
    replace:
      "frame: { frame: 'SEND', clientMsgId: outgoing.attempts > 1 ? 'f' + clientMsgId.slice(1) : clientMsgId, chatId, ciphertext, mediaIds },",
    story:
      'A retry uses another clientMsgId, as if it were a new message: reuse of ids after a reconnect, turned round.',
    expected: ['converges', 'no-acked-message-lost'],
  },
  {
    name: 'window-shut-after-reading-back',
    file: OUTBOX,
    find: '  settle(device, outgoing, out);\n  pumpSends(device, now, out);\n}\n\n/** Takes a send out',
    replace: '  settle(device, outgoing, out);\n}\n\n/** Takes a send out',
    story: 'Reading back an own message frees a place in the send window, and nobody uses it.',
    expected: ['converges'],
  },
  {
    name: 'outbox-lost-at-restart',
    file: 'core/device/device.ts',
    find: 'options.disk.outbox.map(',
    replace: 'options.disk.outbox.slice(0, 0).map(',
    story: 'An app that restarts forgets what it had not sent yet.',
    expected: ['converges'],
  },
  {
    name: 'resume-ahead-of-what-is-shown',
    file: 'core/device/connection.ts',
    find: 'ahead.push([chatId, inbox.cursor]);',
    replace: 'ahead.push([chatId, inbox.cursor + 1]);',
    story: 'RESUME names one message more than is shown.',
    expected: ['cursors-never-regress', 'no-acked-message-lost'],
  },
  {
    name: 'half-open-never-noticed',
    file: 'core/device/connection.ts',
    find: 'if (now - device.link.heardAt >= device.limits.silence) {',
    replace: 'if (now < 0) {',
    story: 'The device believes in a connection on which nothing arrives any more.',
    expected: ['converges', 'no-acked-message-lost', 'presence-converges'],
  },
  {
    name: 'clock-set-back-trusts-a-dead-connection',
    file: 'core/device/connection.ts',
    find: '  if (now < device.link.heardAt) device.link.heardAt = now;\n',
    replace: '',
    story: 'A device whose clock is set back by an hour believes for an hour in a connection that is dead.',
    expected: ['converges', 'no-acked-message-lost', 'presence-converges'],
  },
  {
    name: 'own-message-at-its-own-time',
    file: 'core/device/inbox.ts',
    find: 'sentAt: ack.sentAt ?? now',
    replace: 'sentAt: now',
    story:
      'A device shows its own messages at the time of its own clock, the others at that of the server: they cannot agree on the day.',
    expected: ['order-per-chat'],
  },
  {
    name: 'stalled-for-ever',
    file: OUTBOX,
    find: '  if (outbox.stalled.get(chatId) === outgoing) outbox.stalled.delete(chatId);\n  else outbox.inFlight--;\n',
    replace: '  if (outbox.stalled.get(chatId) !== outgoing) outbox.inFlight--;\n',
    story: 'A chat that did not answer for a while sends nothing more, although it answers again.',
    expected: ['converges'],
  },
  {
    name: 'taken-back-but-counted',
    file: OUTBOX,
    find: '    if (stalled.has(chatId)) takeBack(outbox, outgoing);\n',
    replace: '    if (stalled.has(chatId)) outgoing.sentAt = undefined;\n',
    story: 'Sends that a stalled chat takes back go on filling the window, until nothing is sent any more.',
    expected: ['converges'],
  },
];
