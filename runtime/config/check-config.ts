import type { Limits } from '../../core/contract/limits.ts';
import type { ParsedConfig } from './config-schema.ts';
import type { RegionConfig } from './regions-schema.ts';
import { shardMapFaults } from './shard-map.ts';

/** @returns what no single key shows: keys that exclude each other, names used twice, promises that cannot be kept. */
export function crossFaults(config: ParsedConfig, limits: Limits): readonly string[] {
  return [
    ...regionFaults(config),
    ...shardMapFaults(config.regions),
    ...config.regions.flatMap((region, i) => engineFaults(region, `regions.${i}`, config)),
    ...tokenFaults(config),
    ...mediaFaults(config),
    ...limitFaults(config, limits),
  ];
}

function regionFaults({ region, regions }: ParsedConfig): readonly string[] {
  const names = regions.map(({ name }) => name);
  const faults = [
    ...twice(names, (i) => `regions.${i}.name`),
    ...twice(
      regions.flatMap(({ postgres }) => postgres.shards.map(({ name }) => name)),
      () => 'regions.*.postgres.shards.*.name',
    ),
  ];
  if (region === undefined && names.length > 1)
    faults.push(`region: is missing; with several regions it takes one of ${names.join(', ')}`);
  if (region !== undefined && !names.includes(region))
    faults.push(`region: ${JSON.stringify(region)} is not one of the regions, ${names.join(', ')}`);
  return faults;
}

function twice(names: readonly string[], key: (index: number) => string): string[] {
  return names.flatMap((name, i) =>
    names.indexOf(name) === i ? [] : [`${key(i)}: ${JSON.stringify(name)} is used twice; each has its own`],
  );
}

function engineFaults({ postgres, kafka, redis }: RegionConfig, at: string, config: ParsedConfig): string[] {
  const faults: string[] = [];
  postgres.shards.forEach(({ url, passwordFile }, i) => {
    const key = `${at}.postgres.shards.${i}`;
    const { password, searchParams, pathname } = new URL(url);
    if (password !== '' && passwordFile !== undefined)
      faults.push(`${key}.passwordFile: the URL has a password too; give one of the two`);
    if (pathname === '' || pathname === '/')
      faults.push(`${key}.url: names no database; write postgresql://host:5432/database`);
    const options = `${searchParams.get('options') ?? ''} ${searchParams.get('synchronous_commit') ?? ''}`;
    if (/synchronous_commit\s*=\s*(?:off|false|no|0)|^\s*off\s*$/i.test(options))
      faults.push(
        `${key}.url: sets synchronous_commit = off, which loses acknowledged messages; leave it on`,
      );
  });
  const { replicationFactor, minInsyncReplicas, sasl } = kafka;
  if (minInsyncReplicas > replicationFactor)
    faults.push(
      `${at}.kafka.minInsyncReplicas: ${minInsyncReplicas} is not within 1 to replicationFactor (${replicationFactor}); nothing could be published`,
    );
  if (config.tokens.jwks !== undefined && minInsyncReplicas < 2)
    faults.push(
      `${at}.kafka.minInsyncReplicas: ${minInsyncReplicas} loses events with one broker; outside development it is 2 or more`,
    );
  if (sasl !== undefined) faults.push(...eitherOf(`${at}.kafka.sasl`, sasl, ['password', 'passwordFile']));
  faults.push(...eitherOf(`${at}.redis`, redis, ['url', 'nodes']));
  if (redis.url !== undefined && !/^\/?(?:\d{1,2})?$/.test(new URL(redis.url).pathname))
    faults.push(`${at}.redis.url: ${new URL(redis.url).pathname} is not a database such as /2`);
  if (redis.url !== undefined)
    for (const only of ['username', 'password'] as const)
      if (redis[only] !== undefined) faults.push(`${at}.redis.${only}: belongs into the URL`);
  return faults;
}

function tokenFaults({ tokens }: ParsedConfig): readonly string[] {
  const faults = eitherOf('tokens', tokens, ['development', 'jwks']);
  if (tokens.jwks !== undefined) faults.push(...eitherOf('tokens.jwks', tokens.jwks, ['url', 'file']));
  return faults;
}

function mediaFaults({ media }: ParsedConfig): readonly string[] {
  return media?.kind === 's3' ? eitherOf('media', media, ['secretAccessKey', 'secretAccessKeyFile']) : [];
}

function eitherOf<Names extends string>(
  at: string,
  section: Partial<Record<Names, unknown>>,
  names: readonly [Names, Names],
): string[] {
  const given = names.filter((name) => section[name] !== undefined);
  if (given.length === 1) return [];
  const [first, second] = names;
  return given.length === 0
    ? [`${at}: has neither ${first} nor ${second}; give one of the two`]
    : [`${at}: has both ${first} and ${second}; give one of the two`];
}

const SEND_FIELDS_BYTES = 2_048;
/** What one ERROR takes, roughly. */
const ERROR_BYTES = 300;

/** Relations that the machines rely on. Durations in microseconds. */
function limitFaults({ drain }: ParsedConfig, limits: Limits): readonly string[] {
  const faults: string[] = [];
  const below = (low: keyof Limits, high: keyof Limits, why: string): void => {
    if (limits[low] > limits[high])
      faults.push(`limits.${low}: ${limits[low]} is not at most ${high} (${limits[high]}); ${why}`);
  };
  below('drainSpread', 'drainTimeout', 'devices would be cut off before they are told to leave');
  below('leaseRenew', 'leaseTtl', 'sessions would expire between two renewals');
  below('heartbeat', 'silence', 'healthy devices would be closed as silent');
  below('pollWait', 'pollSilence', 'a device would be closed as silent while its poll waits');
  // Base64 is a third longer; the other fields of a SEND take less than this.
  const longestSend = Math.ceil(limits.ciphertextBytes / 3) * 4 + SEND_FIELDS_BYTES;
  if (limits.frameBytes < longestSend)
    faults.push(
      `limits.frameBytes: ${limits.frameBytes} is less than a SEND with ciphertextBytes (${limits.ciphertextBytes}) takes, ` +
        `${longestSend}; its connection would be closed each time it is sent`,
    );
  const answers = limits.deviceSendWindow * ERROR_BYTES;
  if (limits.socketBufferBytes < 2 * answers)
    faults.push(
      `limits.socketBufferBytes: ${limits.socketBufferBytes} is less than twice the answers to deviceSendWindow ` +
        `(${limits.deviceSendWindow}) sends, ${2 * answers}; a device that is closed for them would come back to the same`,
    );
  if (limits.drainTimeout > drain.timeoutMs * 1_000)
    faults.push(
      `limits.drainTimeout: ${limits.drainTimeout} is not at most drain.timeoutMs (${drain.timeoutMs * 1_000} microseconds)`,
    );
  return faults;
}
