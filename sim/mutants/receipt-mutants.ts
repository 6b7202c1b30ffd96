import type { Mutant } from './mutant.ts';

const ARRIVE = ['receipts-arrive'] as const;

/** Bugs by which a receipt gets lost on its way, though nothing fails. */
export const RECEIPT_MUTANTS: readonly Mutant[] = [
  {
    name: 'read-not-said',
    file: 'core/device/reads.ts',
    find: '  flushReceipts(device, out);\n  sayRead(inbox.chatId, inbox.lastOther, conn, out);\n',
    replace: '  flushReceipts(device, out);\n',
    story: 'A user who is online reads, and his device says nothing of it.',
    expected: ARRIVE,
  },
  {
    name: 'read-said-on-one-connection',
    file: 'core/device/reads.ts',
    find: '  reads.due.push(...again);\n',
    replace: '',
    story:
      'A READ that went down with its connection is not said on the next one: it never was, for everybody else.',
    expected: ARRIVE,
  },
  {
    name: 'read-while-away-not-said',
    file: 'core/device/reads.ts',
    find: '(read.conn === undefined ? reads.due : again).push(inbox);',
    replace: 'if (read.conn !== undefined) again.push(inbox);',
    story: 'What a user reads in a tunnel his device says to nobody, also when it is out again.',
    expected: ARRIVE,
  },
  {
    name: 'delivered-not-passed-on',
    file: 'core/session/client-frames.ts',
    find: "    report(session, view, serverMsgId, pushed.seq, 'DELIVERED', now, out);\n",
    replace: '',
    story: 'DELIVERED opens the window of its session and goes no further.',
    expected: [...ARRIVE, 'receipts-monotone', 'converges'],
  },
  {
    name: 'receipts-told-to-nobody',
    file: 'core/receipts/receipt-writer.ts',
    find: 'const write = toWrite(request, counted ? NOBODY : receiptRecipients(chat, request), counted);',
    replace:
      'const write = toWrite(request, counted ? NOBODY : receiptRecipients(chat, request).slice(0, 0), counted);',
    story: 'Receipts are saved, and no outbox row tells the other members.',
    expected: ARRIVE,
  },
  {
    name: 'receipt-rows-not-published',
    file: 'core/fan-out/relay.ts',
    find: '    planRecipients(itemOf(row), recipients, events);\n  }\n',
    replace: "    if (row.kind !== 'receipt') planRecipients(itemOf(row), recipients, events);\n  }\n",
    story: 'The relay deletes the rows of receipts without an event.',
    expected: ARRIVE,
  },
  {
    name: 'receipts-of-an-absence-not-told',
    file: 'core/session/session-opening.ts',
    find: '  if (visible.length > 0) waitWithAll(session, chatId, visible);\n',
    replace: '  if (visible.length > 1e6) waitWithAll(session, chatId, visible);\n',
    story: 'What others received while a device was away it never hears.',
    expected: ARRIVE,
  },
  {
    name: 'second-page-of-receipts-forgotten',
    file: 'core/session/receipts-down.ts',
    find: "  out.push({ kind: 'wake', timer: 'receipts', conn: session.conn, after: gateway.limits.sessionRetry });\n",
    replace: '',
    story: 'Receipts of many chats are told up to the end of the first page.',
    expected: ARRIVE,
  },
  {
    name: 'own-too-far-ahead-forgotten',
    file: 'core/session/replies.ts',
    find: '    view.head = Math.max(view.head, seq);\n    if (session.phase',
    replace: '    if (session.phase',
    story: 'Own messages beyond what a session remembers are neither noted nor fetched.',
    expected: [...ARRIVE, 'converges'],
  },
  {
    name: 'who-came-back-taken-for-a-stranger',
    file: 'core/sequencing/sequencer.ts',
    find: 'if (here?.known === true && wasMember(here, request.userId))',
    replace: 'if (here?.known === true && here.members.has(request.userId))',
    story:
      'A service that has read of somebody who came and went drops what he confirms after he has come back.',
    expected: ARRIVE,
  },
];
