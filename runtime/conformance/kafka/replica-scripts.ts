import type { Script } from '../script.ts';
import type { QueueStep } from './queue-step.ts';
import { to, publish } from './script-words.ts';

const RECORDS: QueueStep = { do: 'records', user: 1 };

/** What surprises whoever has more than one broker (FAULTS: NOT_LEADER, and what an acknowledgement of the leader alone is worth). */
export const REPLICA_SCRIPTS: readonly Script<QueueStep>[] = [
  {
    name: 'leader-moves-under-a-producer',
    story:
      'who is told NOT_LEADER finds the new leader within its session: appended once, in order, and nobody hears of it',
    steps: [
      publish(to(1, 1)),
      { do: 'move-leader', user: 1 },
      publish(to(1, 2, 3)),
      publish(to(1, 4)),
      RECORDS,
    ],
  },
  {
    name: 'acknowledged-by-the-leader-alone',
    story: 'acks=1: what only the leader has is acknowledged, and gone when it dies',
    steps: [
      publish(to(1, 1)),
      RECORDS,
      { do: 'append-unreplicated', events: to(1, 2), waitsFor: 'leader' },
      { do: 'leader-dies' },
      RECORDS,
    ],
  },
  {
    name: 'not-acknowledged-by-the-other',
    story: 'acks=all: what only the leader has is as gone when it dies, but nobody was told that it is there',
    steps: [
      publish(to(1, 1)),
      RECORDS,
      { do: 'append-unreplicated', events: to(1, 2), waitsFor: 'both' },
      { do: 'leader-dies' },
      RECORDS,
    ],
  },
];
