import type { Mutant } from './mutant.ts';

const RELAY = 'core/fan-out/relay.ts';
const WORKER = 'core/delivery/delivery-worker.ts';
const LOST = ['no-acked-message-lost', 'converges'] as const;

/** Bugs between the outbox and the gateways, and of presence. */
export const DELIVERY_MUTANTS: readonly Mutant[] = [
  {
    name: 'outbox-deleted-before-publish',
    file: RELAY,
    find: '  if (ids.length > 0) publish(relay, { ids, events, page: undefined }, out);\n',
    replace:
      "  if (ids.length > 0) {\n    start(relay, { kind: 'delete', ids }, out);\n    publish(relay, { ids: [], events, page: undefined }, out);\n  }\n",
    story: 'A relay that dies between the two has deleted what it never published.',
    expected: LOST,
  },
  {
    name: 'publish-unknown-taken-for-ok',
    file: RELAY,
    find: "if (outcome !== 'ok') rest(relay, call, out);",
    replace: "if (outcome === 'failed') rest(relay, call, out);",
    story: 'A publish whose outcome is unknown is believed.',
    expected: LOST,
  },
  {
    name: 'publish-not-split',
    file: RELAY,
    find: 'const most = relay.limits.publishEvents;',
    replace: 'const most = Math.max(1, events.length);',
    story:
      'A row with more recipients than the queue takes in one call is refused, and repeated as it is, for ever.',
    expected: LOST,
  },
  {
    name: 'row-deleted-after-its-first-publish',
    file: RELAY,
    find: '  if (settles.missing > 0) return;\n',
    replace: '',
    story:
      'A row with several publishes is deleted when the first is durable, and a relay that dies then has lost the others.',
    expected: LOST,
  },
  {
    name: 'queued-publish-forgotten',
    file: RELAY,
    find: 'if (next !== undefined) start(relay, next, out);',
    replace: '',
    story: 'What waits because enough is being published is never published.',
    expected: [...LOST, 'counts-converge'],
  },
  {
    name: 'relay-follows-ids',
    file: RELAY,
    find: 'if (relay.inFlight.has(row.id)) continue;',
    replace:
      'if (relay.inFlight.has(row.id) || row.id < (relay.top ?? 0)) continue;\n    relay.top = row.id;',
    story: 'The outbox is followed by id: a row that commits late is stepped over.',
    expected: LOST,
  },
  {
    name: 'only-one-failed-call-retried',
    file: RELAY,
    find: 'for (const call of calls) start(relay, call, out);',
    replace: 'for (const call of calls.slice(0, 1)) start(relay, call, out);',
    story: 'Of several calls that failed at once the relay repeats the first.',
    expected: LOST,
  },
  {
    name: 'large-group-first-page-only',
    file: RELAY,
    find: 'const last = result.users.length < relay.limits.fanOutPage;',
    replace: 'const last = true;',
    story: 'Members of a large group beyond the first page are never told.',
    expected: LOST,
  },
  {
    name: 'offset-committed-before-finished',
    file: WORKER,
    find: '    worker.tasks++;\n',
    replace:
      '    worker.tasks++;\n    partition.watermark = record.offset + 1;\n    worker.moved.add(number);\n',
    story:
      'Offsets are committed when records come, not when they are done; a worker that dies in between skips them.',
    expected: LOST,
  },
  {
    name: 'delivery-given-up-silently',
    file: WORKER,
    find: '} else mark(worker, task, out);',
    replace: '} else finishTask(worker, task, out);',
    story: 'A worker that cannot reach a device gives up and tells nobody.',
    expected: LOST,
  },
  {
    name: 'silent-registry-means-offline',
    file: WORKER,
    find: 'else if (found === undefined) restInSilence(worker, task, now, out);',
    replace: 'else if (found === undefined) finishTask(worker, task, out);',
    story: 'While the session registry is down everybody counts as offline.',
    expected: LOST,
  },
  {
    name: 'push-never-times-out',
    file: WORKER,
    find: "    onPushed(worker, number, 'unreachable', now, out);\n",
    replace: '',
    story: 'A push without an answer is waited for, for ever: one stuck device holds up a partition.',
    expected: LOST,
  },
  {
    name: 'own-other-devices-left-out',
    file: WORKER,
    find: 'event.item.message.fromDevice === entry.deviceId &&',
    replace: '',
    story: "The sender's other devices are not told.",
    expected: LOST,
  },
  {
    name: 'heads-not-reread',
    file: 'core/session/lease-renewal.ts',
    find: '  return renewals % (every + keyedInt(seed, REREAD_STREAM, conn, every)) === 0;\n',
    replace: '  return renewals < 0 && keyedInt(seed, REREAD_STREAM, conn, every) > 0;\n',
    story: 'What the queue lost for good, a device that stays connected in a quiet chat never hears of.',
    expected: LOST,
  },
  {
    name: 'presence-never-expires',
    file: 'core/presence/presence-board.ts',
    find: '} else if (hasElapsed(watched.offlineSince, gateway.limits.presenceGrace, now)) {',
    replace: '} else if (now < 0) {',
    story: 'Ghosts: who has gone stays ONLINE for ever.',
    expected: ['presence-converges'],
  },
  {
    name: 'presence-without-grace',
    file: 'core/presence/presence-board.ts',
    find: "} else if (watched.status !== 'ONLINE') become(watched, 'OFFLINE', reading.lastSeen, out);",
    replace: "} else become(watched, 'OFFLINE', reading.lastSeen, out);\n    if (reading.online) continue;",
    story: 'A reconnect makes a user blink.',
    expected: ['presence-converges'],
  },
  {
    name: 'members-asked-for-once',
    file: 'core/presence/presence-board.ts',
    find: 'if (!chat.told) askMembers(gateway, session, chatId, out);\n      else if (chat.age >= limits.membersRefresh) stale.push({ session, chatId });',
    replace: '',
    story: 'A chat whose members could not be told when it was opened shows no presence.',
    expected: ['presence-converges'],
  },
  {
    name: 'members-refreshed-before-the-unheard',
    file: 'core/presence/presence-board.ts',
    find: 'stale.push({ session, chatId });',
    replace: 'askMembers(gateway, session, chatId, out);',
    story: 'A full service takes the same requests each time, and one chat never shows who is there.',
    expected: ['presence-converges'],
  },
  {
    name: 'members-of-a-screen-told-once',
    file: 'core/presence/presence-board.ts',
    find: 'else if (chat.age >= limits.membersRefresh) stale.push({ session, chatId });',
    replace: '',
    story: 'Who joins a chat that is on screen is never shown there.',
    expected: ['presence-converges'],
  },
  {
    name: 'what-rests-longer-never-wakes',
    file: WORKER,
    find: '  if (nearest !== Number.POSITIVE_INFINITY) arm(worker, nearest, now, out);\n',
    replace: '',
    story: 'The timer of a worker finds something that is not due yet, and is not armed for it again.',
    expected: LOST,
  },
  {
    name: 'push-taken-for-the-sending',
    file: WORKER,
    find: '  const { item } = task.event;\n  for (const entry of sessions) {',
    replace:
      "  let { item } = task.event;\n  if (item.kind === 'message') item = { ...item, message: { ...item.message, sentAt: now } };\n  for (const entry of sessions) {",
    story:
      'What is pushed names the time of the push; who fetches the same message is told when it was sent.',
    expected: ['order-per-chat'],
  },
  {
    name: 'codec-forgets-the-predecessor',
    file: 'core/wire/server-codec.ts',
    find: 'prev: prev === frame.seq - 1 ? undefined : prev,',
    replace: 'prev: undefined,',
    story: 'On the wire every message follows the seq before it, also for who did not see that one.',
    expected: ['no-acked-message-lost', 'converges', 'order-per-chat'],
  },
];
