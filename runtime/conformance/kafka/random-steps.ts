import fc from 'fast-check';
import type { MemberName, PublishFault, QueueStep, Sent } from './queue-step.ts';

type Drawn =
  | { readonly do: 'publish'; readonly users: readonly number[]; readonly fault: PublishFault | undefined }
  | { readonly do: 'come-or-go'; readonly member: MemberName; readonly how: 'leave' | 'crash' }
  | { readonly do: 'finish'; readonly member: MemberName; readonly count: number | undefined }
  | { readonly do: 'rebalance' }
  | { readonly do: 'look' }
  | { readonly do: 'lag' };

const member = fc.constantFrom<MemberName>('A', 'B');
const fault = fc.option(
  fc.constantFrom<PublishFault>('request-lost', 'ack-lost', 'request-cut', 'ack-cut', 'twice'),
  {
    nil: undefined,
    freq: 4,
  },
);

const drawn: fc.Arbitrary<Drawn> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      users: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 5 }),
      fault,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('come-or-go' as const),
      member,
      how: fc.constantFrom('leave' as const, 'crash' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('finish' as const),
      member,
      count: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'rebalance' as const }) },
  { weight: 2, arbitrary: fc.constant({ do: 'look' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lag' as const }) },
);

/** Short scripts of two workers; the first is there from the beginning. */
export const randomSteps: fc.Arbitrary<readonly QueueStep[]> = fc
  .array(drawn, { minLength: 3, maxLength: 10 })
  .map(toSteps);

/** Numbers the events, and lets a worker come only when it is away. A look is needed before what is in hand is certain. */
function toSteps(list: readonly Drawn[]): readonly QueueStep[] {
  const steps: QueueStep[] = [{ do: 'join', member: 'A' }];
  const present = new Set<MemberName>(['A']);
  let seq = 0;
  for (const each of list) {
    switch (each.do) {
      case 'publish': {
        const events = each.users.map((user): Sent => [user, ++seq]);
        steps.push(
          each.fault === undefined ? { do: 'publish', events } : { do: 'publish', events, fault: each.fault },
        );
        break;
      }
      case 'come-or-go':
        // What was handed out and is not looked at yet may or may not be there when the group deals anew.
        steps.push({ do: 'look', each: 'once' });
        if (present.delete(each.member)) steps.push({ do: each.how, member: each.member });
        else {
          present.add(each.member);
          steps.push({ do: 'join', member: each.member });
        }
        steps.push({ do: 'look', each: 'once' });
        break;
      case 'finish':
        if (!present.has(each.member)) break;
        steps.push({ do: 'look', each: 'once' });
        // How the partitions are dealt differs, so with two workers only both together finish something certain.
        for (const name of present)
          steps.push(
            each.count === undefined
              ? { do: 'finish', member: name }
              : { do: 'finish', member: name, count: each.count },
          );
        steps.push({ do: 'lag' });
        break;
      case 'rebalance':
        if (present.size > 0)
          steps.push({ do: 'look', each: 'once' }, { do: 'rebalance' }, { do: 'look', each: 'once' });
        break;
      case 'look':
        steps.push({ do: 'look', each: 'once' });
        break;
      case 'lag':
        steps.push({ do: 'lag' });
        break;
    }
  }
  steps.push({ do: 'look', each: 'once' }, { do: 'lag' });
  return steps;
}
