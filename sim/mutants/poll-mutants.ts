import type { Mutant } from './mutant.ts';

const BUFFER = 'core/session/poll-buffer.ts';
const SESSION = 'core/session/poll-session.ts';
const CLIENT = 'core/device/poll-client.ts';
const CONNECTION = 'core/device/connection.ts';

/** Bugs of long polling, of the way back to it and from it, and of tokens that run out. */
export const POLL_MUTANTS: readonly Mutant[] = [
  {
    name: 'poll-ack-ignored',
    file: BUFFER,
    find: '  buffer.explicit = true;\n  release(buffer, upTo);\n',
    replace: '  buffer.explicit = true;\n',
    story: 'A gateway keeps, and says again, what a device that polls has acknowledged.',
    expected: ['polls-carry-all'],
  },
  {
    name: 'poll-released-before-its-ack',
    file: BUFFER,
    find: '  release(buffer, upTo);\n  return true;\n',
    replace: '  release(buffer, buffer.sent);\n  return true;\n',
    story: 'An acknowledgement is taken for all that was sent: what was lost with a response is gone.',
    expected: ['polls-carry-all'],
  },
  {
    name: 'poll-response-taken-for-received',
    file: BUFFER,
    find: 'if (buffer.explicit || page.frames.length === 0) return;',
    replace: 'if (page.frames.length === 0) return;',
    story: 'A response that was written counts as a response that arrived, although the device acknowledges.',
    expected: ['polls-carry-all'],
  },
  {
    name: 'poll-frames-handed-over-twice',
    file: 'core/device/poll-inbox.ts',
    find: 'const fresh = frames.slice(inbox.got - before);',
    replace: 'const fresh = frames;',
    story: 'A device that polls does not look at the numbers, and takes again what a response repeats.',
    expected: ['polls-carry-all'],
  },
  {
    name: 'poll-end-told-before-the-rest',
    file: SESSION,
    find: 'isLastPage(buffer, page) ? session.over : undefined',
    replace: 'session.over',
    story:
      'A response that does not hold everything says that the session is over, and the rest is never asked for.',
    expected: ['polls-carry-all'],
  },
  {
    name: 'lost-poll-acknowledges-what-it-waits-for',
    file: CLIENT,
    find: '    client.failures++;\n',
    replace: '    client.failures++;\n    client.inbox.got++;\n',
    story: 'A device whose poll was lost goes on behind what the poll would have brought.',
    expected: ['polls-carry-all'],
  },
  {
    name: 'post-never-ends',
    file: CLIENT,
    find: 'else if (client.posting?.request === request) client.posting = undefined;',
    replace: 'else if (client.posting?.request === request) client.failures = 0;',
    story: 'A device that polls waits for ever for its first post to end, and says nothing more.',
    expected: ['converges', 'no-acked-message-lost'],
  },
  {
    name: 'poll-session-never-expires',
    file: 'core/session/session-timers.ts',
    find: 'session.polls ? limits.pollSilence : limits.silence',
    replace: 'session.polls ? Number.POSITIVE_INFINITY : limits.silence',
    story: 'Who polled and went away without a word stays online for ever.',
    expected: ['presence-converges'],
  },
  {
    name: 'never-falls-back-to-polling',
    file: 'core/device/transport.ts',
    find: 'path.misses < limits.websocketAttempts ||',
    replace: 'path.misses < Number.POSITIVE_INFINITY ||',
    story: 'Behind a proxy that lets no WebSocket through a device tries WebSockets for ever.',
    expected: ['converges', 'no-acked-message-lost'],
  },
  {
    name: 'token-never-runs-out',
    file: 'core/session/session-state.ts',
    find: '    expiresAt: options.expiresAt,\n',
    replace: '    expiresAt: (options.now + 1e15) as Micros,\n',
    story: 'A gateway takes every token as good for ever once it has let the connection in.',
    expected: ['tokens-are-honoured'],
  },
  {
    name: 'stops-when-its-token-has-expired',
    file: CONNECTION,
    find: "    case 'auth_expired':\n      drop(device, CLOSE_CODE.normal, out);\n",
    replace:
      "    case 'auth_expired':\n      drop(device, CLOSE_CODE.normal, out);\n      if (frame.reason === 'auth_expired') return;\n",
    story:
      'A device that hears that its token has expired does not come back, although a new one is to be had.',
    expected: ['converges', 'no-acked-message-lost'],
  },
];
