import type { Mutant } from './mutant.ts';

const RECOUNT = 'core/fan-out/recount.ts';
const HUGE = 'core/session/huge-chats.ts';
const COUNTS = ['counts-converge'] as const;
const LOST = ['no-acked-message-lost', 'converges'] as const;

/** Bugs of what large chats have of their own: counted receipts, and pulling in huge groups. */
export const LARGE_CHAT_MUTANTS: readonly Mutant[] = [
  {
    name: 'counted-once-and-never-again',
    file: RECOUNT,
    find: '  if (!chat.counting) recounts.waiting.add(chat);\n',
    replace: '  if (chat.countedAt === undefined) recounts.waiting.add(chat);\n',
    story: 'A chat is counted when the first receipt comes; what comes later waits for ever.',
    expected: COUNTS,
  },
  {
    name: 'moved-while-it-was-counted',
    file: RECOUNT,
    find: '  if (chat.row !== undefined) recounts.waiting.add(chat);\n',
    replace: '',
    story: 'A receipt that is saved while its chat is being counted is never counted.',
    expected: COUNTS,
  },
  {
    name: 'rising-reads-not-told',
    file: RECOUNT,
    find: 'return deliveredCount > (told?.deliveredCount ?? 0) || readCount > (told?.readCount ?? 0);',
    replace: 'return deliveredCount > (told?.deliveredCount ?? 0);',
    story: 'The sender hears how many have a message, and not that they read it afterwards.',
    expected: COUNTS,
  },
  {
    name: 'who-came-later-is-counted',
    file: 'core/receipts/count-receipts.ts',
    find: 'if (userId === from || !canSee(spans, seq)) continue;',
    replace: 'if (userId === from) continue;',
    story: 'Members who joined after a message count as having it: their watermark is above it.',
    expected: COUNTS,
  },
  {
    name: 'sender-is-counted',
    file: 'core/receipts/count-receipts.ts',
    find: 'if (userId === from || !canSee(spans, seq)) continue;',
    replace: 'if (!canSee(spans, seq)) continue;',
    story: 'The sender counts as one who has the message.',
    expected: COUNTS,
  },
  {
    name: 'receipts-counted-twice',
    file: 'core/receipts/count-receipts.ts',
    find: '      readCount++;\n',
    replace: '      readCount++;\n      deliveredCount++;\n',
    story: 'READ implies DELIVERED, and who sent both counts twice.',
    expected: COUNTS,
  },
  {
    name: 'counts-not-asked-for',
    file: HUGE,
    find: '  if (open.counted) return;\n',
    replace: '  if (open.counted || gateway.reads >= 0) return;\n',
    story: 'What was counted while a device was away, or while its connection was half-open, it never hears.',
    expected: COUNTS,
  },
  {
    name: 'inactive-members-never-look',
    file: HUGE,
    find: '  if (visible <= view.head) return;\n',
    replace: '  if (visible > 0) return;\n',
    story:
      'A member who was inactive when a message was sent to a huge group does not hear of it while he is connected.',
    expected: LOST,
  },
  {
    name: 'open-pulls-nothing',
    file: HUGE,
    find: "    out.push({ kind: 'read-heads', chatIds: [chatId] });\n",
    replace: '',
    story: 'Who opens a huge group sees what was there when he connected.',
    expected: LOST,
  },
  {
    name: 'authors-taken-for-inactive',
    file: 'core/fan-out/relay.ts',
    find: '          authorsWithin: relay.limits.activeDistance,\n',
    replace: '          authorsWithin: 0,\n',
    story:
      'Who only writes gets nothing delivered; when the group grows huge meanwhile he is told nothing any more.',
    expected: LOST,
  },
  {
    name: 'growth-not-marked',
    file: 'core/sequencing/sequencer.ts',
    find: '      markAbove: service.limits.hugeGroup,\n',
    replace: '      markAbove: Number.MAX_SAFE_INTEGER,\n',
    story:
      'A group grows huge while receipts are on their way: members who are there hear neither of it nor of what follows.',
    expected: LOST,
  },
  {
    name: 'huge-group-not-noticed',
    file: 'core/session/huge-state.ts',
    find: '  if (size <= limits.hugeGroup) return;\n',
    replace: '  if (size <= limits.hugeGroup + 1) return;\n',
    story: 'Fan-out and session do not agree on which group is huge: nobody tells, and nobody looks.',
    expected: LOST,
  },
  {
    name: 'size-as-it-was-first-read',
    file: 'core/sequencing/chat-state.ts',
    find: '  chat.size = current.length;\n',
    replace: '  if (chat.size === 0) chat.size = current.length;\n',
    story: 'A chat that grows large goes on telling each receipt, and its senders never get counts.',
    expected: COUNTS,
  },
  {
    name: 'size-is-not-known',
    file: 'core/sequencing/chat-state.ts',
    find: '  chat.size = current.length;\n',
    replace: '',
    story: 'Every chat passes for small: its receipts are told one by one, and nobody counts them.',
    expected: COUNTS,
  },
];
