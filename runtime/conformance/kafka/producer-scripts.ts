import type { Script } from '../script.ts';
import type { QueueStep } from './queue-step.ts';
import { to, publish, join, finish, LOOK, LOOK_NAMED, LAG } from './script-words.ts';

/** What surprises whoever publishes (FAULTS: Kafka producer). */
export const PRODUCER_SCRIPTS: readonly Script<QueueStep>[] = [
  {
    name: 'order-per-key',
    story: 'events of one recipient come in the order in which they were published, over calls too',
    steps: [
      join('A'),
      publish([...to(1, 1, 2), ...to(2, 1), ...to(1, 3)]),
      publish(to(1, 4, 5)),
      LOOK_NAMED,
      LAG,
    ],
  },
  {
    name: 'published-before-anybody-joined',
    story: 'a group that begins reads from the start of the log, not from its end',
    steps: [publish(to(1, 1, 2, 3)), join('A'), LOOK_NAMED, finish('A'), LAG],
  },
  {
    name: 'acknowledgement-lost',
    story: 'the producer never learns whether its events are there, and they are',
    steps: [join('A'), publish(to(1, 1, 2), 'ack-lost'), LOOK, LAG],
  },
  {
    name: 'request-lost',
    story: 'the producer never learns whether its events are there, and they are not',
    steps: [join('A'), publish(to(1, 1, 2), 'request-lost'), LOOK, LAG],
  },
  {
    name: 'lost-acknowledgement-then-retry',
    story: 'who publishes again after an unknown outcome makes duplicates, in order behind the first',
    steps: [join('A'), publish(to(1, 1, 2), 'ack-lost'), publish(to(1, 1, 2)), publish(to(1, 3)), LOOK],
  },
  {
    name: 'lost-request-then-retry',
    story: 'who publishes again after an unknown outcome may as well make none',
    steps: [join('A'), publish(to(1, 1, 2), 'request-lost'), publish(to(1, 1, 2)), LOOK],
  },
  {
    name: 'next-after-a-lost-acknowledgement',
    story: 'a batch as large as the one before, whose fate is unknown, is not taken for its repetition',
    steps: [
      join('A'),
      publish(to(1, 1)),
      publish(to(1, 2), 'ack-lost'),
      publish(to(1, 3)),
      publish(to(1, 4)),
      LOOK,
      LAG,
    ],
  },
  {
    name: 'retry-within-the-session',
    story: 'an idempotent producer that repeats a request in its session appends it once',
    steps: [
      join('A'),
      publish(to(1, 1), 'ack-cut'),
      publish(to(1, 2), 'request-cut'),
      publish([...to(1, 3), ...to(2, 1)], 'ack-cut'),
      LOOK,
      LAG,
    ],
  },
  {
    name: 'retry-in-a-new-session',
    story: 'idempotence ends with the producer session: a second one appends the same again',
    steps: [join('A'), publish([...to(1, 1, 2), ...to(2, 1)], 'twice'), LOOK, LAG],
  },
  {
    name: 'nobody-to-reach',
    story: 'what never left is failed, not unknown, and is not there',
    steps: [join('A'), publish(to(1, 1), 'refused'), publish(to(1, 2)), LOOK],
  },
  {
    name: 'part-of-a-call',
    story:
      'of a call that went wrong some partitions may have taken their part; each recipient has the first of his',
    steps: [
      join('A'),
      { do: 'publish', events: [...to(1, ...longCall()), ...to(2, 1, 2)], fault: 'too-large' },
      { do: 'look-prefixes', sent: [...to(1, ...longCall()), ...to(2, 1, 2)] },
    ],
  },
];

/** Longer than the broker of the suite takes in one batch. */
function longCall(): readonly number[] {
  return Array.from({ length: 60 }, (_, i) => i + 1);
}
