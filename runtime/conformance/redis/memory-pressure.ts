import type { Redis } from 'ioredis';
import { userOf } from './perform-lease-step.ts';

const JUNK_KEYS = 3_000;
const JUNK_BYTES = 1_000;

/** From now on nothing more fits, and nothing may be evicted for it. */
export async function fillUp(admin: Redis): Promise<void> {
  await admin.config('SET', 'maxmemory-policy', 'noeviction', 'maxmemory', '1mb');
}

/**
 * Fills the server with keys that expire later than the hash of `user` and earlier than any other user's, then takes half of that
 * memory away again: what expires first goes first.
 */
export async function evictLongestAway(admin: Redis, user: string): Promise<void> {
  const key = `parley:session:{${userOf(user)}}`;
  const expiresIn = (await admin.pttl(key)) + 60_000;
  const junk = admin.pipeline();
  for (let i = 0; i < JUNK_KEYS; i++) junk.set(`junk:${i}`, 'x'.repeat(JUNK_BYTES), 'PX', expiresIn + i);
  await junk.exec();
  const used = Number(/^used_memory:(\d+)/m.exec(await admin.info('memory'))?.[1]);
  const limit = String(used - (JUNK_KEYS * JUNK_BYTES) / 2);
  await admin.config(
    'SET',
    'maxmemory-policy',
    'volatile-ttl',
    'maxmemory-samples',
    '64',
    'maxmemory',
    limit,
  );
  await admin.ping();
  await admin.config('SET', 'maxmemory', '0');
  const left = await admin.keys('junk:*');
  if (left.length === 0 || left.length === JUNK_KEYS) throw new Error(`${left.length} keys were left`);
  await admin.unlink(...left);
}
