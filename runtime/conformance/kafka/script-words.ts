import type { MemberName, PublishFault, QueueStep, Sent } from './queue-step.ts';

// The words of the scripts. Users 1, 2 and 3 are in different partitions; see scripts.test.ts.

export const to = (user: number, ...seqs: readonly number[]): readonly Sent[] =>
  seqs.map((seq) => [user, seq]);
export const publish = (events: readonly Sent[], fault?: PublishFault): QueueStep =>
  fault === undefined ? { do: 'publish', events } : { do: 'publish', events, fault };
export const join = (member: MemberName): QueueStep => ({ do: 'join', member });
export const leave = (member: MemberName): QueueStep => ({ do: 'leave', member });
export const crash = (member: MemberName): QueueStep => ({ do: 'crash', member });
export const freeze = (member: MemberName): QueueStep => ({ do: 'freeze', member });
export const thaw = (member: MemberName): QueueStep => ({ do: 'thaw', member });
export const pause = (member: MemberName): QueueStep => ({ do: 'pause', member });
export const resume = (member: MemberName): QueueStep => ({ do: 'resume', member });
export const finish = (member: MemberName, count?: number): QueueStep =>
  count === undefined ? { do: 'finish', member } : { do: 'finish', member, count };
export const LOOK: QueueStep = { do: 'look' };
export const LOOK_NAMED: QueueStep = { do: 'look', named: true };
export const LOOK_ONCE: QueueStep = { do: 'look', each: 'once' };
export const LAG: QueueStep = { do: 'lag' };
export const REBALANCE: QueueStep = { do: 'rebalance' };
export const RESTART: QueueStep = { do: 'restart' };
