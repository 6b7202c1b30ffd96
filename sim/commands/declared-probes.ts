import { FAULT_KINDS } from '../faults/fault-kinds.ts';

/**
 * The probes there are, by name: a branch that nobody has reached is in no list that a run could write. `declared-probes.test.ts`
 * holds the list against the sources.
 */

/**
 * What one run in a hundred and thirty reaches, or more: over twenty of the 3,000 seeds that CI runs with each commit, so that
 * a commit which reaches none has switched something off. Once in a hundred million campaigns that would be chance.
 */
const SURE = [
  'api.member-changed',
  'api.refused',
  'device.fell-back-to-polling',
  'device.refused.no_such_chat',
  'device.refused.not_a_member',
  'device.refused.overloaded',
  'device.refused.rate_limited',
  'device.returned-to-websocket',
  'device.sync',
  'heal.all-served',
  'heal.some-served',
  'network.frame.lost',
  'network.held.released',
  'network.message.lost',
  'op.device-off',
  'poll.answer.unwanted',
  'poll.frames.lost',
  'poll.frames.said-again',
  'poll.request.given-up',
  'poll.request.twice',
  'poll.session.expired',
  'poll.token.refused',
  'poll.way.lost',
  'process.burst',
  'process.crash.mid-step',
  'process.pause.mid-step',
  'push.refused',
  'queue.failed',
  'queue.member.waited-for',
  'queue.rebalance.in-flight',
  'queue.request.lost',
  'queue.unknown.appended',
  'registry.answer.lost',
  'registry.evicted',
  'registry.failed',
  'registry.failover.lost-writes',
  'registry.old-primary.asked',
  'request.lost',
  'send.duplicate-answered',
  'sequencer.append.duplicate',
  'session.claim.fenced',
  'session.evict',
  'session.evicted',
  'session.goaway.auth_expired',
  'session.goaway.drain',
  'session.goaway.replaced',
  'session.renewal.recreated',
  'store.failed',
  'store.outbox.late',
  'store.request.lost',
  'token.refused',
] as const;

/** What takes more seeds than that, thousands at times: demanded of a long campaign. */
const SELDOM = [
  'device.refused.unavailable',
  'gateway.drained',
  'heal.nobody-served',
  'poll.buffer.reported',
  'queue.commit.fenced',
  'queue.duplicated',
  'queue.offset.skipped-work',
  'queue.retention.gap',
  'queue.unknown.none',
  'registry.full',
  'registry.hint.dropped',
  'request.rerouted',
  'sequencer.append.stale',
  'session.evict.late',
  'session.goaway.slow_consumer',
  'session.push.fenced',
  'session.renewal.fenced',
  'session.sent-away',
  'store.answer.lost',
  'store.list.incomplete',
  'store.unknown.applied',
  'store.unknown.void',
  'store.zombie.ok',
  'store.zombie.stale',
  'token.came-too-late',
  'token.expired.mid-replay',
] as const;

/** What only a scenario written by hand, or a bug, brings about. */
export const UNDRAWN = ['device.refused.bad_frame', 'network.socket-buffer.reported'] as const;

/** Kinds of fault that need a topology which few runs have. */
const SELDOM_FAULTS: ReadonlySet<string> = new Set(['drain', 'misrouting']);

const faultProbes = (sure: boolean): string[] =>
  FAULT_KINDS.filter(({ kind }) => !sure || !SELDOM_FAULTS.has(kind)).map(({ kind }) => `fault.${kind}`);

/** Which probes a campaign may be asked to reach. `ci`: what 3,000 seeds reach for certain. */
export type ProbeSet = 'all' | 'ci';

export function declaredProbes(set: ProbeSet): readonly string[] {
  const names = set === 'ci' ? SURE : [...SURE, ...SELDOM];
  return [...names, ...faultProbes(set === 'ci')].sort();
}

/** @returns the probes of the set that a campaign has not reached, sorted. */
export function missedProbes(set: ProbeSet, reached: ReadonlyMap<string, number>): readonly string[] {
  return declaredProbes(set).filter((name) => !reached.has(name));
}
