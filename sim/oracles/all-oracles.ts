import { bounded } from './bounded.ts';
import { changesArePermitted } from './changes-are-permitted.ts';
import { converges } from './converges.ts';
import { countsConverge } from './counts-converge.ts';
import { cursorsNeverRegress } from './cursors-never-regress.ts';
import { deliveredSetIsMembership } from './delivered-set-is-membership.ts';
import type { History } from './history.ts';
import type { JudgeOptions } from './judge.ts';
import { leasesAreFenced } from './leases-are-fenced.ts';
import { latency, type LatencyCount } from './latency.ts';
import { noAckedMessageLost } from './no-acked-message-lost.ts';
import { noDuplicateShown } from './no-duplicate-shown.ts';
import type { Oracle } from './oracle.ts';
import { orderPerChat } from './order-per-chat.ts';
import { pollsCarryAll } from './polls-carry-all.ts';
import { presenceConverges } from './presence-converges.ts';
import { ratesAreFair } from './rates-are-fair.ts';
import { receiptsArrive } from './receipts-arrive.ts';
import { receiptsMonotone } from './receipts-monotone.ts';
import { tokensAreHonoured } from './tokens-are-honoured.ts';

/**
 * One oracle for each promise. Where several see the same observation, the first in this list speaks first: the sharper
 * one before the one that would call the same thing by a more general name.
 */
export function allOracles(history: History, options: JudgeOptions, count: LatencyCount): readonly Oracle[] {
  return [
    noDuplicateShown(history),
    deliveredSetIsMembership(history, options),
    changesArePermitted(history),
    orderPerChat(history, options),
    cursorsNeverRegress(history),
    leasesAreFenced(history),
    receiptsMonotone(history, options),
    countsConverge(history, options),
    bounded(),
    pollsCarryAll(history),
    tokensAreHonoured(history, options),
    ratesAreFair(history, options),
    noAckedMessageLost(history, options),
    receiptsArrive(history, options),
    presenceConverges(history, options),
    converges(history),
    latency(history, options, count),
  ];
}
