import type { Mutant } from './mutant.ts';

const SEQUENCER = 'core/sequencing/sequencer.ts';
const STORE_ANSWERS = 'core/sequencing/store-answers.ts';
const MEMBERSHIP = 'core/sequencing/membership.ts';
const STRANGERS = 'core/sequencing/strangers.ts';
const CHAT_ADMIN = 'core/sequencing/chat-admin.ts';

/** Bugs of the message service. */
export const SERVICE_MUTANTS: readonly Mutant[] = [
  {
    name: 'ack-before-append',
    file: SEQUENCER,
    find: "  chat.phase = 'writing';\n  chat.writing = batch;\n",
    replace:
      "  chat.phase = 'writing';\n  chat.writing = batch;\n  batch.forEach((p, i) => p.replyTos.forEach(({ node, conn }) => out.push({ kind: 'reply', node, reply: { ...messages[i], kind: 'ack', conn, duplicate: false } })));\n",
    story: 'The sender is told before the message is durable.',
    expected: ['no-acked-message-lost'],
  },
  {
    name: 'unknown-taken-for-ok',
    file: STORE_ANSWERS,
    find: "    case 'ok':\n      for (const p of batch) {",
    replace: "    case 'unknown':\n    case 'ok':\n      for (const p of batch) {",
    story: 'A commit whose outcome is unknown is acknowledged as if it had happened.',
    expected: ['no-acked-message-lost'],
  },
  {
    name: 'unknown-taken-for-failed',
    file: STORE_ANSWERS,
    find: "    case 'stale':\n    case 'unknown':\n      chat.phase = 'cold';\n      requeue(service, chat, batch);",
    replace:
      "    case 'unknown':\n      for (const p of batch) refusePending(service, chat, p, 'too_large', 'it timed out', out);\n      chat.phase = 'cold';\n      break;\n    case 'stale':\n      chat.phase = 'cold';\n      requeue(service, chat, batch);",
    story:
      'A leader dies between commit and answer; the sender is told that the send failed, and sends it again.',
    expected: ['no-duplicate-shown'],
  },
  {
    name: 'duplicate-returns-a-new-seq',
    file: STORE_ANSWERS,
    find: '      acknowledgeSend(out, p.replyTos, match, true);\n',
    replace: '      acknowledgeSend(out, p.replyTos, { ...match, seq: chat.head + 1 }, true);\n',
    story: 'A repeated send is answered with the next free seq instead of its own.',
    expected: ['no-duplicate-shown', 'no-acked-message-lost', 'order-per-chat'],
  },
  {
    name: 'id-of-another-taken-for-a-repeat',
    file: 'core/sequencing/waiting-sends.ts',
    find: 'send !== undefined && send.request.userId !== request.userId) send',
    replace: 'send !== undefined && send.request.userId === undefined) send',
    story:
      'Two users make the same clientMsgId, and the second hears that he has used it for another message: his is lost.',
    expected: ['delivered-set-is-membership'],
  },
  {
    name: 'duplicate-tells-the-time-of-the-repeat',
    file: STORE_ANSWERS,
    find: '      acknowledgeSend(out, p.replyTos, match, true);\n',
    replace: '      acknowledgeSend(out, p.replyTos, { ...match, sentAt: p.sentAt }, true);\n',
    story: 'A send that turns out to be a message already is acknowledged as sent when it was repeated.',
    expected: ['order-per-chat'],
  },
  {
    name: 'duplicate-takes-its-batch-with-it',
    file: STORE_ANSWERS,
    find: '      requeue(service, chat, answerDuplicates(service, chat, batch, result.found, out));\n',
    replace: '      answerDuplicates(service, chat, batch, result.found, out);\n',
    story: 'One send of a batch is a message already; the others of the batch are never answered.',
    expected: ['converges'],
  },
  {
    name: 'batch-shares-a-seq',
    file: SEQUENCER,
    find: 'messages.push(toMessage(p, chat.head + batch.length));',
    replace: 'messages.push(toMessage(p, chat.head + 1));',
    story: 'All messages of one batch get the same seq.',
    expected: ['no-duplicate-shown', 'order-per-chat', 'crash'],
  },
  {
    name: 'who-has-left-may-write',
    file: SEQUENCER,
    find: 'const allowed = isMember(chat, p.request.userId);',
    replace: 'const allowed = chat.members.has(p.request.userId);',
    story: 'A removed member goes on writing into the chat.',
    expected: ['delivered-set-is-membership'],
  },
  {
    name: 'recipients-not-refreshed',
    file: CHAT_ADMIN,
    find: '  refreshRecipients(chat, service.limits);\n',
    replace: '',
    story: 'Messages sent after somebody joined are not pushed to him: membership as it was read long ago.',
    expected: ['no-acked-message-lost', 'converges', 'delivered-set-is-membership'],
  },
  {
    name: 'stranger-never-charged',
    file: STRANGERS,
    find: '    if (!charged.has(key)) takeToken(strangers, key, now);\n',
    replace: '',
    story:
      'Each send of somebody who is not in a chat makes the service read it again, with all its members.',
    expected: ['rates-are-fair'],
  },
  {
    name: 'stranger-waits-for-ever',
    file: STRANGERS,
    find: 'tokenIn(bucket.fullAt, strangers.rate, now) > 0',
    replace: 'bucket.fullAt > 0',
    story: 'Who was refused too often as a stranger is never told so again: what he sends waits for ever.',
    expected: ['converges'],
  },
  {
    name: 'screens-starve-sends',
    file: STRANGERS,
    find: "kind === 'submit' ? userId : `members ${userId}`",
    replace: 'kind === undefined ? kind : userId',
    story:
      'Two open screens of a chat that is not theirs take every token, and no send of that user is ever answered.',
    expected: ['converges'],
  },
  {
    name: 'any-member-adds-members',
    file: CHAT_ADMIN,
    find: "else if (actorRole === 'member')",
    replace: 'else if (false)',
    story: 'Whoever is in a chat lets others in, and makes himself an admin.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'any-member-removes-others',
    file: CHAT_ADMIN,
    find: "else if (!leaves && actor.role === 'member')",
    replace: 'else if (false)',
    story: 'Whoever is in a chat throws others out.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'stranger-taken-for-the-owner',
    file: CHAT_ADMIN,
    find: 'const actor = chat.members.get(request.userId);',
    replace: 'const actor = chat.members.get(request.userId) ?? [...chat.members.values()][0];',
    story: 'Who was never in a chat changes its members as if he were its owner.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'admin-removes-the-owner',
    file: CHAT_ADMIN,
    find: "else if (!leaves && before.role === 'owner')",
    replace: 'else if (false)',
    story: 'An admin throws out the owner who made him one.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'owner-becomes-a-member',
    file: CHAT_ADMIN,
    find: "else if (current && before.role === 'owner')",
    replace: 'else if (false)',
    story: 'The owner is added once more, as a member: the chat has no owner any longer.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'change-decided-once',
    file: SEQUENCER,
    find: 'const member = decideAdmin(service, chat, pending.request, answers);',
    replace: 'const member = (pending.decided ??= decideAdmin(service, chat, pending.request, answers));',
    story:
      'A change that came too late is written again as it was decided, though whoever asked may have been removed.',
    expected: ['changes-are-permitted', 'delivered-set-is-membership'],
  },
  {
    name: 'unknown-change-taken-for-made',
    file: STORE_ANSWERS,
    find: "  if (result.outcome === 'ok') {\n    chat.learnedAt = now;\n    applyMemberChange",
    replace:
      "  if (result.outcome === 'ok' || result.outcome === 'unknown') {\n    chat.learnedAt = now;\n    applyMemberChange",
    story: 'An admin is told that somebody is out of the group, who is not.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'nothing-to-change-by-hearsay',
    file: SEQUENCER,
    find: "if (pending.check === 'done' || isFreshList(service, chat, answers, now)) out.push(...answers);",
    replace: 'if (chat.known) out.push(...answers);',
    story:
      'A service says that a change is made already, by what it has heard: somebody has changed it back since.',
    expected: ['changes-are-permitted'],
  },
  {
    name: 'leaving-takes-effect-late',
    file: MEMBERSHIP,
    find: '[...kept, { after: last.after, upTo: head }]',
    replace: '[...kept, { after: last.after, upTo: head + 1 }]',
    story: 'Who is removed still sees the next message.',
    expected: ['delivered-set-is-membership'],
  },
  {
    name: 'joining-shows-what-was-before',
    file: MEMBERSHIP,
    find: 'if (last === undefined) return { userId, role, spans: [{ after: head, upTo: OPEN_END }] };',
    replace: 'if (last === undefined) return { userId, role, spans: [{ after: 0, upTo: OPEN_END }] };',
    story: 'Who joins reads what was written before he did.',
    expected: ['delivered-set-is-membership'],
  },
  {
    name: 'coming-back-shows-what-was-missed',
    file: MEMBERSHIP,
    find: 'if (last.upTo === head)',
    replace: 'if (last.upTo <= head)',
    story: 'Who left and comes back reads what was written while he was away.',
    expected: ['delivered-set-is-membership'],
  },
  {
    name: 'unreachable-service-asked-for-ever',
    file: 'core/session/service-routes.ts',
    find: '  return best(candidates, hash, usable) ?? best(candidates, hash, anyService);\n',
    replace: '  return best(candidates, hash, anyService) ?? best(candidates, hash, usable);\n',
    story:
      'The requests of a chat go to its own service although that one is gone and another would take them.',
    expected: ['presence-converges'],
  },
  {
    name: 'chat-served-abroad',
    file: 'core/session/service-routes.ts',
    find: 'routes.byRegion.get(regionOf(routes.placement, key))',
    replace: 'routes.byRegion.get(regionOf(routes.placement, request.userId))',
    story: 'A request goes to a service of the region of who sends it, not of its chat.',
    expected: ['latency'],
  },
];
