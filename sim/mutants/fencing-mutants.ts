import type { Mutant } from './mutant.ts';

const LEASE = 'core/session/lease.ts';
const END = 'core/session/session-end.ts';
const FENCED = ['leases-are-fenced'] as const;

/** Bugs of the rule that a device has one session, its newest. */
export const FENCING_MUTANTS: readonly Mutant[] = [
  {
    name: 'claim-not-fenced',
    file: LEASE,
    find: 'if (stored !== undefined && stored.epoch > entry.epoch) {',
    replace: 'if (stored !== undefined && stored.epoch > entry.epoch && ttl < 0) {',
    story: 'The claim of an older connection comes late and takes the device from the newer one.',
    expected: FENCED,
  },
  {
    name: 'renewal-not-fenced',
    file: LEASE,
    find: "if (stored !== undefined && stored.epoch > entry.epoch) return { lease: stored, outcome: 'fenced' };",
    replace: '',
    story: 'A gateway that does not know that its session has moved renews it back, again and again.',
    expected: FENCED,
  },
  {
    name: 'lease-released-by-anybody',
    file: LEASE,
    find: 'return stored !== undefined && stored.epoch === epoch;',
    replace: 'return stored !== undefined && epoch >= 0;',
    story:
      'The end of an older connection signs the newer one off: it is offline for everybody while it is there.',
    expected: FENCED,
  },
  {
    name: 'fenced-claim-goes-on',
    file: 'core/session/session-opening.ts',
    find: "if (result.outcome === 'fenced') {",
    replace: "if (result.outcome === 'fenced' && now < 0) {",
    story: 'A session that hears at its opening of a newer one opens all the same.',
    expected: FENCED,
  },
  {
    name: 'fenced-renewal-ignored',
    file: 'core/session/lease-renewal.ts',
    find: "if (outcome === 'fenced') replaceSession(gateway, session, now, out);\n    else if",
    replace: 'if',
    story: 'A session that is told at each renewal of a newer one stays.',
    expected: FENCED,
  },
  {
    name: 'push-epoch-not-checked',
    file: 'core/session/pushes.ts',
    find: 'if (session.deviceId === push.deviceId && session.epoch >= push.epoch) return session;',
    replace: 'if (session.deviceId === push.deviceId) return session;',
    story: 'What is pushed to the newer session of a device is taken by the older one, which is about to go.',
    expected: FENCED,
  },
  {
    name: 'evict-ignored',
    file: END,
    find: 'if (session.deviceId === deviceId && session.epoch < epoch) replaceSession(gateway, session, now, out);',
    replace: 'if (session.deviceId === deviceId && epoch < 0) replaceSession(gateway, session, now, out);',
    story: 'A gateway that is told that the device has moved keeps its session.',
    expected: FENCED,
  },
  {
    name: 'evict-kills-the-newer',
    file: END,
    find: 'if (session.deviceId === deviceId && session.epoch < epoch) replaceSession',
    replace: 'if (session.deviceId === deviceId && epoch > 0) replaceSession',
    story: 'The word that a device has moved away comes after the device has come back, and throws it out.',
    expected: ['cursors-never-regress'],
  },
];
