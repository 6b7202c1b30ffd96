import { inspectRedis, type RedisReport } from '../adapters/redis/inspect-redis.ts';
import type { RegionConfig } from '../config/regions-schema.ts';
import { redisEndpoint } from '../roles/engine-addresses.ts';
import { broken, clockFindings, ok, warning, type Examination, type Finding } from './finding.ts';

const OLDEST_MAJOR = 7;

export function examineRedis({ name: region, redis }: RegionConfig, timeoutMs: number): Examination {
  return {
    subject: 'Redis',
    region,
    next: 'look whether it runs and may be reached from here: redis-cli ping. Until then devices stay connected, and nothing is pushed',
    async run() {
      const servers = await inspectRedis(redisEndpoint(redis), timeoutMs);
      return servers.flatMap(findingsOf);
    },
  };
}

function findingsOf(server: RedisReport): readonly Pick<Finding, 'verdict' | 'detail' | 'next'>[] {
  const { address, version, role, usedBytes, maxBytes, evictionPolicy, roundTripMs } = server;
  const used = `${Math.round(usedBytes / 1024 ** 2)} MiB`;
  const notes: Pick<Finding, 'verdict' | 'detail' | 'next'>[] = [
    ok(`${address} ${version}, ${used} in use, ${roundTripMs} ms away`),
  ];
  if (Number(version.split('.')[0]) < OLDEST_MAJOR)
    notes.push(broken(`${address}: version ${version} is older than ${OLDEST_MAJOR}`, 'update Redis'));
  if (role !== 'master')
    notes.push(broken(`${address} is a replica and takes no writes`, 'let the URL name the primary'));
  if (maxBytes > 0 && evictionPolicy !== 'noeviction')
    notes.push(
      warning(
        `${address} throws sessions away when it is full (${evictionPolicy}): their devices get no pushes for a heartbeat`,
        'CONFIG SET maxmemory-policy noeviction, and give it memory for every session (about 300 bytes each)',
      ),
    );
  return [...notes, ...clockFindings(server.clockAheadMs, roundTripMs)];
}
