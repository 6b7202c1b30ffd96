import type { DeviceId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { createJudge } from '../../sim/oracles/judge.ts';
import type { Observation } from '../../sim/oracles/observation.ts';
import type { PromiseName, Violation } from '../../sim/oracles/oracle.ts';
import type { ChatTruth } from './store-truth.ts';
import type { Sighting } from './witness.ts';

/** What the oracles said about a history of real devices. */
export interface Verdict {
  readonly violation: Violation | undefined;
  /** Who waits for what, when something did not happen. */
  readonly stuck: readonly string[];
  readonly observations: number;
}

/**
 * The promises that can be judged from devices and the store alone. What gateways send, and who is present, cannot be
 * seen from here without a latency of one's own; the simulator judges those. Cursors and counts are judged as far as somebody
 * looked into the store for them.
 */
export const JUDGED: readonly PromiseName[] = [
  'no-duplicate-shown',
  'delivered-set-is-membership',
  'order-per-chat',
  'receipts-monotone',
  'cursors-never-regress',
  'counts-converge',
  'no-acked-message-lost',
  'converges',
];

/**
 * Judges what devices saw against what the store holds afterwards.
 * @param served the devices that must have everything at the end.
 */
export function judge(
  sightings: readonly Sighting[],
  truths: readonly ChatTruth[],
  served: readonly DeviceId[],
): Verdict {
  const judging = createJudge({
    limits: DEFAULT_LIMITS,
    commitsSeen: 'afterwards',
    latencyLimit: undefined,
    only: JUDGED,
  });
  const end = sightings.at(-1)?.at ?? 0;
  let observations = 0;
  const see = (observation: Observation, at: number): Violation | undefined => {
    observations++;
    return judging.observe(observation, at);
  };
  const verdict = (violation: Violation | undefined): Verdict => ({
    violation,
    stuck: judging.stuck(),
    observations,
  });

  // Who may see what is known from the end: a membership, once past, does not change.
  for (const { observation } of sightings) if (observation.kind === 'device') see(observation, 0);
  for (const { chat } of truths) {
    const { chatId, kind: chatKind, head, version } = chat;
    for (const member of chat.members)
      see({ kind: 'member', chatId, chatKind, member, head, version, by: undefined }, 0);
  }
  for (const { observation, at } of sightings) {
    if (observation.kind === 'device') continue;
    const violation = see(observation, at);
    if (violation !== undefined) return verdict(violation);
  }
  for (const { messages, watermarks = [] } of truths) {
    const stored = [
      ...messages.map((message) => ({ kind: 'committed', message }) as const),
      ...watermarks.map((receipt) => ({ kind: 'watermark-saved', receipt }) as const),
    ];
    for (const each of stored) {
      const violation = see(each, end);
      if (violation !== undefined) return verdict(violation);
    }
  }
  const healed = see({ kind: 'healed', served, heard: [] }, end);
  return verdict(healed ?? see({ kind: 'end', quiet: judging.settled() }, end));
}
