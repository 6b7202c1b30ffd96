import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LEASE_SCRIPTS } from '../../adapters/redis/lease-scripts.ts';
import type { Suite } from '../script.ts';
import { openRedisSuite } from './redis-suite.ts';

/** A bug in one of the scripts that Redis runs: what stands there, and what would stand there. */
type Bug = readonly [
  what: string,
  script: keyof typeof LEASE_SCRIPTS,
  right: string,
  wrong: string,
  foundBy: string,
];

const BUGS: readonly Bug[] = [
  [
    'an older claim is not fenced',
    'claim',
    'stored.epoch > mine',
    'false',
    'kicked-by-his-own-older-connection',
  ],
  [
    'a claim again is fenced',
    'claim',
    'stored.epoch > mine',
    'stored.epoch >= mine',
    'lost-answer-then-claim-again',
  ],
  ['a loser that has expired is named', 'claim', 'if alive and', 'if stored and', 'a-lease-runs-out-unseen'],
  [
    'an older renewal is not fenced',
    'renew',
    'stored.epoch > mine',
    'false',
    'kicked-by-his-own-older-connection',
  ],
  ['a mark is not told', 'renew', "and stored.missed == '0'", '', 'given-up-is-told-once'],
  [
    'a lease that ran out is renewed quietly',
    'renew',
    'local intact = alive',
    'local intact = stored',
    'a-lease-runs-out-unseen',
  ],
  ['every renewal is a coming', 'renew', 'if came', 'if true', 'hints-when-somebody-comes-and-goes'],
  ['any epoch gives up', 'release', 'stored.epoch == tonumber(epoch)', 'true', 'takeover-names-the-loser'],
  [
    'who was overlooked is not told',
    'lookup',
    "elseif lease.missed == '0'",
    'elseif false',
    'clock-steps-forward-and-back',
  ],
  ['the dead are found', 'lookup', 'lease.expiresAt > now', 'true', 'a-lease-runs-out'],
  [
    'leases are never forgotten',
    'claim',
    '<= now then return nil',
    '<= 0 then return nil',
    'an-old-epoch-is-forgotten',
  ],
  ['a replica may be asked', 'lookup', 'flags=allow-oom', 'flags=no-writes', 'demoted-to-a-replica'],
  ['full memory refuses look-ups', 'lookup', 'flags=allow-oom', '', 'out-of-memory'],
  [
    'the time of leaving is when it is read',
    'presence',
    'replies[i] = seen',
    'replies[i] = seen > 0 and now or seen',
    'presence-follows-the-leases',
  ],
];

let suite: Suite;
beforeAll(async () => {
  suite = await openRedisSuite();
});
afterAll(() => suite.close());

for (const [what, name, right, wrong, foundBy] of BUGS) {
  test(`${what}: found by ${foundBy}`, async () => {
    const script = LEASE_SCRIPTS[name] as { text: string; sha: string };
    const { text, sha } = script;
    expect(text, 'the bug fits the script').toContain(right);
    try {
      script.text = text.replaceAll(right, wrong);
      script.sha = createHash('sha1').update(script.text).digest('hex');
      expect((await suite.run(foundBy)).equal).toBe(false);
    } finally {
      Object.assign(script, { text, sha });
    }
    expect((await suite.run(foundBy)).equal).toBe(true);
  });
}
