import type { Script } from '../script.ts';
import type { RegistryStep } from './registry-step.ts';

/** The rules of leases, as the worker and the gateways rely on them. */
export const LEASE_SCRIPTS: readonly Script<RegistryStep>[] = [
  {
    name: 'claim-and-find',
    story: 'Each device of a user has a lease of its own, and a look-up finds those that are alive.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'claim', device: 'u1.d2', epoch: 4 },
      { do: 'claim', device: 'u2.d1', epoch: 2 },
      { do: 'look-up', users: ['u1', 'u2', 'u3'] },
    ],
  },
  {
    name: 'takeover-names-the-loser',
    story:
      'A device that reconnects elsewhere takes over, and the gateway that holds its old connection is named, to be told.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 1, at: 'gateway-a' },
      { do: 'claim', device: 'u1.d1', epoch: 2, at: 'gateway-b' },
      { do: 'look-up', users: ['u1'] },
      { do: 'release', device: 'u1.d1', epoch: 1 },
      { do: 'look-up', users: ['u1'] },
    ],
  },
  {
    name: 'kicked-by-his-own-older-connection',
    story:
      'A claim or a renewal of an older connection that arrives late is fenced, and the newer one stays.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 7 },
      { do: 'claim', device: 'u1.d1', epoch: 6 },
      { do: 'renew', entries: [['u1.d1', 6]] },
      { do: 'look-up', users: ['u1'] },
      { do: 'renew', entries: [['u1.d1', 7]] },
    ],
  },
  {
    name: 'lost-answer-then-claim-again',
    story: 'A claim whose answer was lost is made again, and replaces nobody.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'renew', entries: [['u1.d1', 3]] },
    ],
  },
  {
    name: 'a-lease-runs-out',
    story:
      'A lease that nobody renews is not found, fences all the same, and its late renewal says that pushes may be missing.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'clock', seconds: 30 },
      { do: 'look-up', users: ['u1'] },
      { do: 'clock', seconds: 30 },
      { do: 'look-up', users: ['u1'] },
      { do: 'claim', device: 'u1.d1', epoch: 2 },
      { do: 'renew', entries: [['u1.d1', 3]] },
      { do: 'look-up', users: ['u1'] },
      { do: 'renew', entries: [['u1.d1', 3]] },
    ],
  },
  {
    name: 'a-lease-runs-out-unseen',
    story:
      'A lease that ran out while nobody looked is taken without naming its holder, and renewed with a word all the same.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'claim', device: 'u1.d2', epoch: 3 },
      { do: 'clock', seconds: 60 },
      { do: 'claim', device: 'u1.d1', epoch: 4 },
      {
        do: 'renew',
        entries: [
          ['u1.d2', 3],
          ['u1.d2', 3],
        ],
      },
    ],
  },
  {
    name: 'renewals-keep-a-lease',
    story: 'A lease that is renewed in time lives on, whatever time has passed since the claim.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 3 },
      { do: 'clock', seconds: 30 },
      { do: 'renew', entries: [['u1.d1', 3]] },
      { do: 'clock', seconds: 30 },
      { do: 'renew', entries: [['u1.d1', 3]] },
      { do: 'clock', seconds: 30 },
      { do: 'look-up', users: ['u1'] },
    ],
  },
  {
    name: 'an-old-epoch-is-forgotten',
    story:
      'An expired lease fences for two minutes; then the registry forgets it, and an older epoch may claim again.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 5 },
      { do: 'clock', seconds: 150 },
      { do: 'claim', device: 'u1.d1', epoch: 4 },
      { do: 'clock', seconds: 30 },
      { do: 'claim', device: 'u1.d1', epoch: 4 },
      { do: 'renew', entries: [['u1.d1', 5]] },
      { do: 'clock', seconds: 200 },
      { do: 'look-up', users: ['u1'] },
      { do: 'renew', entries: [['u1.d1', 4]] },
    ],
  },
  {
    name: 'given-up-is-told-once',
    story: 'A push that was given up is told by the next renewal, and by that one only.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'claim', device: 'u1.d2', epoch: 1 },
      { do: 'mark-missed', devices: ['u1.d1', 'u9.d9'] },
      { do: 'look-up', users: ['u1'] },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u1.d2', 1],
        ],
      },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u1.d2', 1],
        ],
      },
    ],
  },
  {
    name: 'a-batch-is-in-order',
    story:
      'One renewal of many entries answers each in its place, also when it names one device under two epochs.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 5 },
      { do: 'claim', device: 'u2.d1', epoch: 5 },
      {
        do: 'renew',
        entries: [
          ['u3.d1', 1],
          ['u1.d1', 5],
          ['u2.d1', 4],
          ['u1.d1', 6],
          ['u1.d1', 5],
          ['u3.d1', 1],
        ],
      },
      { do: 'look-up', users: ['u3', 'u2', 'u1', 'u1'] },
    ],
  },
  {
    name: 'clock-steps-forward-and-back',
    story:
      'The registry’s clock runs ahead and is set right: who was passed over meanwhile must hear of it though his lease is alive again.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'claim', device: 'u2.d1', epoch: 1 },
      { do: 'clock', seconds: 60 },
      { do: 'look-up', users: ['u1'] },
      { do: 'clock', seconds: -60 },
      { do: 'look-up', users: ['u1', 'u2'] },
      {
        do: 'renew',
        entries: [
          ['u1.d1', 1],
          ['u2.d1', 1],
        ],
      },
    ],
  },
  {
    name: 'clock-steps-back',
    story: 'A clock that is set back lets leases live longer; they are renewed as before.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'clock', seconds: -600 },
      { do: 'look-up', users: ['u1'] },
      { do: 'renew', entries: [['u1.d1', 1]] },
      { do: 'clock', seconds: 30 },
      { do: 'presence', users: ['u1'] },
      { do: 'clock', seconds: 30 },
      { do: 'presence', users: ['u1'] },
    ],
  },
  {
    name: 'presence-follows-the-leases',
    story:
      'A user is online while any device holds a lease, and gone since the last one was given up or ran out.',
    steps: [
      { do: 'presence', users: ['u1'] },
      { do: 'claim', device: 'u1.d1', epoch: 1 },
      { do: 'claim', device: 'u1.d2', epoch: 1 },
      { do: 'clock', seconds: 20 },
      { do: 'release', device: 'u1.d1', epoch: 1 },
      { do: 'presence', users: ['u1', 'u2'] },
      { do: 'clock', seconds: 35 },
      { do: 'presence', users: ['u1'] },
      { do: 'look-up', users: ['u1'] },
      { do: 'clock', seconds: 600 },
      { do: 'look-up', users: ['u1'] },
      { do: 'presence', users: ['u1'] },
      { do: 'claim', device: 'u1.d1', epoch: 2 },
      { do: 'presence', users: ['u1'] },
      { do: 'release', device: 'u1.d1', epoch: 2 },
      { do: 'clock', seconds: 20 },
      { do: 'presence', users: ['u1'] },
    ],
  },
  {
    name: 'a-late-release-is-no-presence',
    story:
      'A gateway that gives up an older epoch neither ends the session nor touches when the user was last seen.',
    steps: [
      { do: 'claim', device: 'u1.d1', epoch: 2 },
      { do: 'release', device: 'u1.d1', epoch: 1 },
      { do: 'presence', users: ['u1'] },
      { do: 'release', device: 'u1.d1', epoch: 2 },
      { do: 'clock', seconds: 100 },
      { do: 'release', device: 'u1.d1', epoch: 2 },
      { do: 'presence', users: ['u1'] },
    ],
  },
];
