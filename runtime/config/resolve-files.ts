import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { ParsedConfig } from './config-schema.ts';
import type { KafkaConfig, RedisConfig, ShardConfig } from './regions-schema.ts';

/**
 * Makes paths absolute (relative ones start at the configuration file) and puts what password files hold where it is
 * used. What cannot be read is added to `faults`.
 */
export function resolveFiles(config: ParsedConfig, folder: string, faults: string[]): ParsedConfig {
  const path = (file: string): string => resolve(folder, file);
  const readable = (key: string, file: string): string => {
    read(key, path(file), faults);
    return path(file);
  };
  const secret = (key: string, file: string | undefined): string | undefined =>
    file === undefined ? undefined : read(`${key}.passwordFile`, path(file), faults)?.trim();

  const { links, tokens, media, regions, recording } = config;
  return {
    ...config,
    regions: regions.map((region, i) => ({
      ...region,
      postgres: {
        shards: region.postgres.shards.map((shard, j) =>
          withPassword(shard, secret(`regions.${i}.postgres.shards.${j}`, shard.passwordFile)),
        ),
      },
      kafka: kafkaWith(region.kafka, secret(`regions.${i}.kafka.sasl`, region.kafka.sasl?.passwordFile)),
      redis: redisWith(region.redis, secret(`regions.${i}.redis`, region.redis.passwordFile)),
    })),
    links: {
      ...links,
      tls: {
        cert: readable('links.tls.cert', links.tls.cert),
        key: readable('links.tls.key', links.tls.key),
        ca: readable('links.tls.ca', links.tls.ca),
      },
    },
    tokens: {
      ...tokens,
      ...(tokens.development && { development: { secretFile: path(tokens.development.secretFile) } }),
      ...(tokens.jwks?.file !== undefined && {
        jwks: { ...tokens.jwks, file: readable('tokens.jwks.file', tokens.jwks.file) },
      }),
    },
    ...(recording && { recording: { ...recording, folder: path(recording.folder) } }),
    ...(media && { media: mediaWith(media, path, faults) }),
  };
}

type Media = NonNullable<ParsedConfig['media']>;

function mediaWith(media: Media, path: (file: string) => string, faults: string[]): Media {
  if (media.kind === 'filesystem') return { ...media, folder: path(media.folder) };
  const { secretAccessKeyFile } = media;
  if (secretAccessKeyFile === undefined || media.secretAccessKey !== undefined) return media;
  const key = read('media.secretAccessKeyFile', path(secretAccessKeyFile), faults)?.trim();
  const { secretAccessKeyFile: _, ...rest } = media;
  return key === undefined ? media : { ...rest, secretAccessKey: key };
}

function withPassword(shard: ShardConfig, password: string | undefined): ShardConfig {
  if (password === undefined) return shard;
  const { passwordFile: _, ...rest } = shard;
  const { url, replicaUrl } = shard;
  return {
    ...rest,
    url: urlWith(url, password),
    ...(replicaUrl === undefined ? {} : { replicaUrl: urlWith(replicaUrl, password) }),
  };
}

/** A password in the URL itself wins. */
function urlWith(text: string, password: string): string {
  const url = new URL(text);
  if (url.password === '') url.password = password;
  return url.href;
}

function kafkaWith(kafka: KafkaConfig, password: string | undefined): KafkaConfig {
  const { sasl } = kafka;
  if (sasl === undefined || password === undefined || sasl.password !== undefined) return kafka;
  return { ...kafka, sasl: { mechanism: sasl.mechanism, username: sasl.username, password } };
}

function redisWith(redis: RedisConfig, password: string | undefined): RedisConfig {
  if (password === undefined) return redis;
  const { passwordFile: _, ...rest } = redis;
  if (redis.url === undefined) return { ...rest, password };
  const url = new URL(redis.url);
  url.password = password;
  return { ...rest, url: url.href };
}

function read(key: string, file: string, faults: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'does not exist' : `cannot be read (${code ?? 'unknown reason'})`;
    faults.push(`${key}: ${JSON.stringify(file)} ${reason}`);
    return undefined;
  }
}
