import type { Script } from '../script.ts';
import type { StoreStep } from './store-step.ts';

/** What an append, a load and a direct chat are, while nothing breaks. */
export const APPEND_SCRIPTS: readonly Script<StoreStep>[] = [
  {
    name: 'two-services-append',
    story:
      'Two services decide on the same head: one of them writes, the other is stale, and no seq is given twice.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0], to: ['u2'] },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [0, 0], by: 's2' },
      { do: 'append', chat: 'c1', sends: ['u2:1'], at: [1, 0], by: 's2' },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u2:1'] },
      { do: 'fetch', user: 'u2', chat: 'c1' },
    ],
  },
  {
    name: 'a-send-is-one-message-for-ever',
    story:
      'A send that is a message already is answered with that message, by whomever and in whatever company it comes again.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1', 'u2:1'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], by: 's2' },
      { do: 'append', chat: 'c1', sends: ['u1:2', 'u2:1', 'u1:3'] },
      { do: 'append', chat: 'c1', sends: ['u1:2', 'u1:3'] },
      { do: 'append', chat: 'c1', sends: ['u1:3', 'u1:1'] },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u1:2', 'u1:3', 'u1:4'] },
    ],
  },
  {
    name: 'a-send-in-two-chats',
    story: 'A send key is taken in every chat of the shard; the same key of another sender is free.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'create', chat: 'c2', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'] },
      { do: 'append', chat: 'c2', sends: ['u1:1'], by: 's2' },
      { do: 'append', chat: 'c2', sends: ['u2:1'], by: 's2' },
      { do: 'load', chat: 'c2', sends: ['u1:1', 'u2:1'] },
      { do: 'heads', chats: ['c1', 'c2', 'c3'] },
    ],
  },
  {
    name: 'one-stale-call-spoils-no-other',
    story:
      'Calls of one moment are one transaction, and each is decided by itself: written, stale or a duplicate.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1'] },
      { do: 'create', chat: 'c2', members: ['u1'] },
      { do: 'create', chat: 'c3', members: ['u1'] },
      { do: 'append', chat: 'c2', sends: ['u1:9'], at: [0, 0] },
      {
        do: 'together',
        steps: [
          { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0] },
          { do: 'append', chat: 'c2', sends: ['u1:2'], at: [0, 0] },
          { do: 'append', chat: 'c3', sends: ['u1:9'], at: [0, 0] },
        ],
      },
      { do: 'heads', chats: ['c1', 'c2', 'c3'] },
      { do: 'outbox' },
    ],
  },
  {
    name: 'an-append-to-no-chat',
    story: 'A chat that does not exist is stale, not created; loading it says that there is none.',
    steps: [
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [0, 0] },
      { do: 'load', chat: 'c1' },
      { do: 'member', chat: 'c1', user: 'u2', spans: [[0]], at: [0, 0] },
      { do: 'fetch', user: 'u1', chat: 'c1' },
      { do: 'outbox' },
    ],
  },
  {
    name: 'a-group-created-again',
    story: 'Creating a chat that exists changes nothing, whoever its members were to be.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'] },
      { do: 'create', chat: 'c1', members: ['u3'], by: 's2' },
      { do: 'load', chat: 'c1' },
    ],
  },
  {
    name: 'a-direct-chat-twice',
    story: 'The direct chat of two users exists once, whichever of them asks and whatever id he brings.',
    steps: [
      { do: 'create', chat: 'c1', kind: 'direct', members: ['u1', 'u2'] },
      { do: 'create', chat: 'c2', kind: 'direct', members: ['u2', 'u1'], by: 's2' },
      { do: 'create', chat: 'c1', kind: 'direct', members: ['u1', 'u2'], by: 's2' },
      { do: 'create', chat: 'c3', kind: 'direct', members: ['u1', 'u3'] },
      { do: 'create', chat: 'c4', members: ['u1', 'u2'] },
      { do: 'load', chat: 'c2' },
      { do: 'load', chat: 'c1' },
    ],
  },
  {
    name: 'a-direct-chat-at-once',
    story:
      'Of two that create the direct chat of a pair at once, the second waits for the first, and gets his chat.',
    steps: [
      { do: 'create', chat: 'c1', kind: 'direct', members: ['u1', 'u2'], fate: 'open', as: 'first' },
      {
        do: 'create',
        chat: 'c2',
        kind: 'direct',
        members: ['u2', 'u1'],
        by: 's2',
        fate: 'behind',
        as: 'second',
      },
      { do: 'release' },
      { do: 'settle', as: 'first' },
      { do: 'settle', as: 'second' },
      { do: 'load', chat: 'c2' },
    ],
  },
  {
    name: 'recipients-of-every-kind',
    story: 'An outbox row has the recipients it was given: some, none, or too many to list.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], to: ['u2', 'u10', 'u1'] },
      { do: 'append', chat: 'c1', sends: ['u1:2'], to: [] },
      { do: 'append', chat: 'c1', sends: ['u1:3', 'u1:4'], to: 'too many' },
      { do: 'outbox' },
      { do: 'delete-outbox' },
      { do: 'outbox' },
      { do: 'delete-outbox' },
    ],
  },
  {
    name: 'content-that-was-dropped',
    story:
      'Retention takes what messages say. The same send is the same message all the same, and other content is still told from it.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1', 'u1:2'], at: [0, 0], to: ['u2'] },
      { do: 'retention' },
      { do: 'append', chat: 'c1', sends: ['u1:3'], at: [2, 0] },
      { do: 'load', chat: 'c1', sends: ['u1:1', 'u1:2', 'u1:3'] },
      { do: 'load', chat: 'c1', sends: ['u1:1!', 'u1:2', 'u1:3!'] },
      { do: 'append', chat: 'c1', sends: ['u1:1'], at: [3, 0] },
      { do: 'append', chat: 'c1', sends: ['u1:1!'], at: [3, 0] },
      { do: 'fetch', user: 'u2', chat: 'c1' },
      { do: 'outbox' },
    ],
  },
  {
    name: 'a-page-of-some-size',
    story: 'A page ends at its size, with one message at least, and says whether it ended there.',
    steps: [
      { do: 'create', chat: 'c1', members: ['u1', 'u2'] },
      { do: 'append', chat: 'c1', sends: ['u1:1', 'u1:2', 'u1:3'], at: [0, 0] },
      { do: 'fetch', user: 'u2', chat: 'c1', bytes: 1 },
      { do: 'fetch', user: 'u2', chat: 'c1', bytes: 40 },
      { do: 'fetch', user: 'u2', chat: 'c1', after: 1, bytes: 40 },
      { do: 'fetch', user: 'u2', chat: 'c1', after: 2, bytes: 40 },
      { do: 'fetch', user: 'u2', chat: 'c1', after: 3, bytes: 1 },
    ],
  },
];
