import type { Script } from '../script.ts';
import type { StoreStep } from './store-step.ts';

/** Calls whose end is not what their caller is told, and transactions that meet. */
export const OUTCOME_SCRIPTS: readonly Script<StoreStep>[] = [
  {
    name: 'lost-before-commit',
    story:
      'The connection is lost on the way to COMMIT: unknown, and nothing happened. Sent again, it is written once.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'lost-before' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], by: 's2' },
      { do: 'fetch', user: 'u2', chat: 'c1' },
    ],
  },
  {
    name: 'lost-after-commit',
    story:
      'The connection is lost after COMMIT: unknown, and all of it happened. Sent again, it is the message it was.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], to: ['u2'], fate: 'lost-after' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], by: 's2' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [1, 0], by: 's2' },
      { do: 'outbox' },
    ],
  },
  {
    name: 'half-open-connection',
    story:
      'The answer to COMMIT never comes and the connection does not break: given up in time, unknown, and it happened.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], by: 'hasty', fate: 'mute' },
      { do: 'load', chat: 'c1', sends: ['u1:1'], by: 'hasty' },
      { do: 'append', chat: 'c1', sends: ['u1:2'], by: 'hasty' },
    ],
  },
  {
    name: 'every-write-may-be-unknown',
    story: 'What an append does when its connection is lost, every other write does as well.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'], fate: 'lost-after' },
      { do: 'create', chat: 'c2', members: ['u1', 'u2'], fate: 'lost-before' },
      { do: 'append', chat: 'c1', sends: ['u1:1'] },
      { do: 'member', chat: 'c1', user: 'u3', spans: [[1]], at: [1, 0], fate: 'lost-after' },
      { do: 'member', chat: 'c1', user: 'u4', spans: [[1]], at: [1, 1], fate: 'lost-before' },
      { do: 'open-device', device: 'u1.d1', fate: 'lost-after' },
      { do: 'open-device', device: 'u1.d1', fate: 'lost-before' },
      { do: 'open-device', device: 'u1.d1' },
      { do: 'receipts', writes: [{ type: 'READ', device: 'u2.d1', chat: 'c1', seq: 1 }], fate: 'lost-after' },
      {
        do: 'receipts',
        writes: [{ type: 'READ', device: 'u3.d1', chat: 'c1', seq: 1 }],
        fate: 'lost-before',
      },
      { do: 'outbox' },
      { do: 'delete-outbox', fate: 'lost-before' },
      { do: 'outbox' },
      { do: 'delete-outbox', fate: 'lost-after' },
      { do: 'outbox' },
      { do: 'load', chat: 'c1' },
      { do: 'load', chat: 'c2' },
      { do: 'list', device: 'u1.d1' },
    ],
  },
  {
    name: 'a-zombie-that-fits',
    story:
      'A write that was given up arrives when nobody waits for it, and its chat is as it expected: it happens.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], to: ['u2'], fate: 'late' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
      { do: 'outbox' },
      { do: 'release' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
      { do: 'outbox' },
    ],
  },
  {
    name: 'a-zombie-that-is-fenced',
    story:
      'The same send was written again by another service meanwhile: the zombie finds another head, and is nothing.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'late' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], by: 's2' },
      { do: 'release' },
      { do: 'fetch', user: 'u2', chat: 'c1' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
    ],
  },
  {
    name: 'a-zombie-in-the-way',
    story:
      'A zombie makes a seq its own between a load and the next append: that one is stale, and nothing is written twice.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'late' },
      { do: 'load', chat: 'c1', sends: ['u1:1'], by: 's2' },
      { do: 'release' },
      { do: 'append', chat: 'c1', sends: ['u2:1', 'u1:1'], at: [0, 0], by: 's2' },
      { do: 'append', chat: 'c1', sends: ['u2:1', 'u1:1'], at: [1, 0], by: 's2' },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [1, 0], by: 's2' },
      { do: 'fetch', user: 'u1', chat: 'c1' },
    ],
  },
  {
    name: 'a-zombie-epoch',
    story: 'An opening that was given up takes its epoch later: epochs may skip, and never come twice.',
    steps: [
      { do: 'open-device', device: 'u1.d1' },
      { do: 'open-device', device: 'u1.d1', fate: 'late' },
      { do: 'open-device', device: 'u1.d1', by: 's2' },
      { do: 'release' },
      { do: 'open-device', device: 'u1.d1' },
    ],
  },
  {
    name: 'a-zombie-receipt',
    story: 'A receipt that comes late moves no watermark back, and announces nothing that is no news.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1', 'u1:2', 'u1:3'] },
      { do: 'outbox' },
      { do: 'delete-outbox' },
      {
        do: 'receipts',
        writes: [{ type: 'DELIVERED', device: 'u2.d1', chat: 'c1', seq: 1, to: ['u1'] }],
        fate: 'late',
      },
      {
        do: 'receipts',
        writes: [{ type: 'READ', device: 'u2.d1', chat: 'c1', seq: 2, to: ['u1'] }],
        by: 's2',
      },
      { do: 'release' },
      { do: 'list', device: 'u1.d1' },
      { do: 'outbox' },
    ],
  },
  {
    name: 'an-append-behind-an-open-transaction',
    story:
      'An append waits for one that is not committed yet, and is decided on what that one leaves: stale.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'open', as: 'first' },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [0, 0], by: 's2', fate: 'behind', as: 'second' },
      { do: 'release' },
      { do: 'settle', as: 'first' },
      { do: 'settle', as: 'second' },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u2:1'] },
    ],
  },
  {
    name: 'a-send-behind-an-open-transaction',
    story:
      'One send to two chats at once: the second waits at the unique key, then finds the message of the first.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'create', chat: 'c2', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'open', as: 'first' },
      { do: 'append', chat: 'c2', sends: ['u1:1'], at: [0, 0], by: 's2', fate: 'behind', as: 'second' },
      { do: 'release' },
      { do: 'settle', as: 'first' },
      { do: 'settle', as: 'second' },
      { do: 'heads', chats: ['c1', 'c2'] },
    ],
  },
  {
    name: 'sessions-end-under-way',
    story:
      'PostgreSQL ends every session: who waited for a lock knows that nothing happened, who waited for his COMMIT does not.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'open', as: 'first' },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [0, 0], by: 's2', fate: 'behind', as: 'second' },
      { do: 'end-sessions' },
      { do: 'settle', as: 'first' },
      { do: 'settle', as: 'second' },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u2:1'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0] },
    ],
  },
  {
    name: 'a-fatal-after-the-commit',
    story:
      'PostgreSQL ends a session that has committed before it could say so: an error in answer to COMMIT, and it happened.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'await-replica' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'killed' },
      { do: 'forget-replica' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'] },
    ],
  },
  {
    name: 'a-timeout-after-the-effect',
    story:
      'The statement timeout strikes in a COMMIT that has happened already: PostgreSQL says so, and it is no failure.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'await-replica' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], by: 'hasty', fate: 'waiting' },
      { do: 'forget-replica' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
    ],
  },
  {
    name: 'a-timeout-before-the-effect',
    story:
      'A statement that waits too long for a lock is given up by PostgreSQL: failed, and certainly nothing happened.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'block', chat: 'c1' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], by: 'hasty', fate: 'refused' },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [0, 0], by: 's2', fate: 'behind', as: 'patient' },
      { do: 'unblock' },
      { do: 'settle', as: 'patient' },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u2:1'] },
    ],
  },
  {
    name: 'no-connection-to-be-had',
    story:
      'PostgreSQL has no connection left for a service that lost its own: its calls fail, others go on, and it recovers.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'exhaust' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0] },
      { do: 'load', chat: 'c1' },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [0, 0], by: 's2' },
      { do: 'relax' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [1, 0] },
      { do: 'fetch', user: 'u1', chat: 'c1' },
    ],
  },
  {
    name: 'serialization-failures',
    story:
      'A serialization failure (40001) means that the same again may work: it is tried again, and the caller hears nothing of it.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'conflicts', state: '40001', times: 3 },
      { do: 'append', chat: 'c1', sends: ['u1:1'], to: ['u2'] },
      { do: 'outbox' },
      { do: 'load', chat: 'c1' },
    ],
  },
  {
    name: 'conflicts-without-end',
    story: 'Who is in conflict every time is told at last that it failed, and nothing of it is left.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'conflicts', state: '40P01', times: 6 },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], fate: 'refused' },
      { do: 'load', chat: 'c1', sends: ['u1:1'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0] },
      { do: 'outbox' },
    ],
  },
  {
    name: 'a-deadlock',
    story:
      'Two transactions lock two chats the other way round: PostgreSQL ends one of them, and both appends are written once.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1'] },
      { do: 'create', chat: 'c2', members: ['u1'] },
      { do: 'deadlock', first: 'c1', second: 'c2', sends: ['u1:1', 'u1:2'] },
      { do: 'outbox' },
      { do: 'heads', chats: ['c1', 'c2'] },
    ],
  },
  {
    name: 'killed-in-a-transaction',
    story:
      'PostgreSQL is killed while a COMMIT is on its way: unknown, gone, and everything that was acknowledged is there.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1', 'u2:1'], to: ['u2'] },
      { do: 'open-device', device: 'u2.d1' },
      { do: 'append', chat: 'c1', sends: ['u1:2'], at: [2, 0], fate: 'open', as: 'lost' },
      { do: 'crash' },
      { do: 'settle', as: 'lost' },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u2:1', 'u1:2'] },
      { do: 'outbox' },
      { do: 'open-device', device: 'u2.d1' },
      { do: 'append', chat: 'c1', sends: ['u1:2'], at: [2, 0], by: 's2' },
    ],
  },
  {
    name: 'killed-after-an-unknown-commit',
    story: 'A commit whose answer was lost survives the death of PostgreSQL.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], to: ['u2'], fate: 'lost-after' },
      { do: 'crash' },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [1, 0], by: 's2' },
      { do: 'outbox' },
    ],
  },
  {
    name: 'a-synchronous-standby-is-promoted',
    story:
      'The primary dies for good and its synchronous standby takes over: what was acknowledged is there, what was not is unknown.',
    steps: [
      { do: 'follow', synchronous: true },
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'open-device', device: 'u2.d1' },
      { do: 'append', chat: 'c1', sends: ['u1:1', 'u2:1'], at: [0, 0], to: ['u2'] },
      { do: 'receipts', writes: [{ type: 'READ', device: 'u2.d1', chat: 'c1', seq: 1, to: ['u1'] }] },
      { do: 'append', chat: 'c1', sends: ['u1:2'], at: [2, 0], fate: 'lost-after' },
      { do: 'append', chat: 'c1', sends: ['u1:3'], at: [3, 0], fate: 'open', as: 'lost' },
      { do: 'fail-over' },
      { do: 'settle', as: 'lost' },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u2:1', 'u1:2', 'u1:3'] },
      { do: 'outbox' },
      { do: 'list', device: 'u2.d1' },
      { do: 'open-device', device: 'u2.d1', by: 's2' },
      { do: 'append', chat: 'c1', sends: ['u1:3'], at: [3, 0], by: 's2' },
      { do: 'fetch', user: 'u2', chat: 'c1' },
    ],
  },
];
