import type { Script } from '../script.ts';
import type { RegistryStep } from './registry-step.ts';

/** A replica takes over that had not heard of everything; and a cluster whose slots and nodes move. */
export const FAILOVER_SCRIPTS: readonly Script<RegistryStep>[] = [
  {
    name: 'failover-loses-acknowledged-writes',
    story:
      'A claim that was answered is unknown to the new primary: nobody finds the session until it renews, and then it reads its heads.',
    steps: [
      { do: 'replicate' },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'lag' },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'fail-over' },
      { do: 'learn', by: 'gateway' },
      { do: 'learn', by: 'worker' },
      { do: 'look-up', users: ['u1', 'u2'] },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u2.d1', 1],
        ],
      },
      { do: 'look-up', users: ['u1', 'u2'] },
    ],
  },
  {
    name: 'failover-without-a-lag',
    story: 'A replica that has heard everything goes on as the old primary would have.',
    steps: [
      { do: 'replicate' },
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'mark-missed', devices: ['u1.d1'] },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'lag' },
      { do: 'fail-over' },
      { do: 'learn', by: 'gateway' },
      { do: 'learn', by: 'worker' },
      { do: 'look-up', users: ['u1', 'u2'] },
      { do: 'claim', device: 'u1.d1', epoch: 2 },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 3],
          ['u2.d1', 1],
        ],
      },
    ],
  },
  {
    name: 'epochs-go-back',
    story:
      'After a failover an older epoch is believed again. Were epochs counted there, one would be given twice; they come from the store.',
    steps: [
      { do: 'replicate' },
      { do: 'claim', device: 'u1.d1', epoch: 5, at: 'gateway-a' },
      { do: 'lag' },
      { do: 'claim', device: 'u1.d1', epoch: 6, at: 'gateway-b' },
      { do: 'renew', entries: [['u1.d1', 5]] },
      { do: 'fail-over' },
      { do: 'learn', by: 'gateway' },
      { do: 'renew', entries: [['u1.d1', 5]] },
      { do: 'claim', device: 'u1.d1', epoch: 6, at: 'gateway-b' },
      { do: 'renew', entries: [['u1.d1', 5]] },
    ],
  },
  {
    name: 'old-primary-answers-until-learned',
    story:
      'Who has not learned of the failover asks the old primary: it finds a session that is gone and misses the one that came.',
    steps: [
      { do: 'replicate' },
      { do: 'claim', device: 'u1.d1', epoch: 1, at: 'gateway-a' },
      { do: 'lag' },
      { do: 'fail-over' },
      { do: 'learn', by: 'gateway' },
      { do: 'claim', device: 'u1.d1', epoch: 2, at: 'gateway-b' },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'look-up', users: ['u1', 'u2'], by: 'worker' },
      { do: 'learn', by: 'worker' },
      { do: 'look-up', users: ['u1', 'u2'], by: 'worker' },
    ],
  },
  {
    name: 'a-mark-at-the-old-primary-is-lost',
    story:
      'A push was given up and marked at a primary that is none: the renewal at the new one is quiet, so a failover itself is told.',
    steps: [
      { do: 'replicate' },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'lag' },
      { do: 'fail-over' },
      { do: 'mark-missed', devices: ['u1.d1'], by: 'worker' },
      { do: 'learn', by: 'gateway' },
      { do: 'renew', entries: [['u1.d1', 1]] },
      { do: 'learn', by: 'worker' },
      { do: 'mark-missed', devices: ['u1.d1'], by: 'worker' },
      { do: 'renew', entries: [['u1.d1', 1]] },
    ],
  },
  {
    name: 'an-old-primary-alone-falls-silent',
    story:
      'A primary that must have a replica refuses everything when it is cut off, look-ups too: it may have a successor.',
    steps: [
      { do: 'replicate' },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'isolate' },
      { do: 'look-up', users: ['u1'] },
      { do: 'claim', device: 'u1.d1', epoch: 2 },
      { do: 'renew', entries: [['u1.d1', 1]] },
      { do: 'presence', users: ['u1'] },
    ],
  },
  {
    name: 'hints-follow-a-failover',
    story: 'Who has learned of the failover is hinted by the new primary.',
    steps: [
      { do: 'replicate' },
      { do: 'watch', user: 'u1' },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'hints' },
      { do: 'lag' },
      { do: 'fail-over' },
      { do: 'learn', by: 'gateway' },
      { do: 'release', device: 'u1.d1', epoch: 1 },
      { do: 'hints' },
      { do: 'presence', users: ['u1'] },
    ],
  },
  {
    name: 'cluster-spreads-a-batch',
    story:
      'In a cluster one call goes to every node that holds one of its users, and the answers are joined in order.',
    steps: [
      { do: 'cluster' },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u2.d1', 1],
          ['u3.d1', 1],
          ['u4.d1', 1],
          ['u5.d1', 1],
          ['u6.d1', 1],
        ],
      },
      { do: 'claim', device: 'u4.d1', epoch: 2 },
      { do: 'mark-missed', devices: ['u2.d1', 'u5.d1'] },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u2.d1', 1],
          ['u3.d1', 1],
          ['u4.d1', 1],
          ['u5.d1', 1],
          ['u6.d1', 1],
        ],
      },
      { do: 'look-up', users: ['u6', 'u5', 'u4', 'u3', 'u2', 'u1', 'u7'] },
    ],
  },
  {
    name: 'cluster-slot-half-moved',
    story:
      'A user whose slot is on its way is answered by the node that has the keys (ASK), also when the batch holds others.',
    steps: [
      { do: 'cluster' },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'move-slot', user: 'u1', until: 'begin' },
      { do: 'look-up', users: ['u1', 'u2'] },
      { do: 'claim', device: 'u1.d1', epoch: 2 },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u2.d1', 1],
        ],
      },
      { do: 'move-slot', user: 'u1', until: 'end' },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 2],
          ['u2.d1', 1],
        ],
      },
    ],
  },
  {
    name: 'cluster-slot-moved',
    story:
      'A slot that moved is asked for at its new node (MOVED), within the same call; sessions hear that somebody else answers.',
    steps: [
      { do: 'cluster' },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'move-slot', user: 'u2', until: 'end' },
      { do: 'look-up', users: ['u1', 'u2'] },
      {
        do: 'renew',
        entries: [
          ['u2.d1', 1],
          ['u1.d1', 1],
        ],
      },
      { do: 'clock', seconds: 60 },
      { do: 'look-up', users: ['u1', 'u2'] },
    ],
  },
  {
    name: 'cluster-node-killed',
    story:
      'The replica of a killed node is elected; what it had is still there, and sessions hear that somebody else answers.',
    steps: [
      { do: 'cluster' },
      { do: 'claim', device: 'u1.d1', epoch: 4 },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'claim', device: 'u3.d1', epoch: 1 },
      { do: 'kill-node', user: 'u1' },
      { do: 'look-up', users: ['u1', 'u2', 'u3'] },
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'renew', entries: [['u1.d1', 4]] },
    ],
  },
];
