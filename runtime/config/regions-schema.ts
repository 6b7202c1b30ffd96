import { z } from 'zod';
import { SLOTS } from '../../core/contract/placement.ts';
import {
  field,
  file,
  flag,
  hostPort,
  integer,
  name,
  section,
  secretText,
  text,
  url,
} from './config-field.ts';

/** The engines of each region; the same in every process, whichever region it stands in (docs/adr/0004). */

const slot = z
  .int()
  .min(0)
  .max(SLOTS - 1);
const slots = field(
  z.array(z.tuple([slot, slot])).min(1),
  `a list of ranges [from, to] within 0 to ${SLOTS - 1}, such as [[0, ${SLOTS / 2 - 1}]]`,
  'the slots whose chats and users live in this shard; over all shards, every slot once',
);

const shard = section(
  {
    name: name('of the shard, in logs and metrics; never changes'),
    url: url(['postgresql:', 'postgres:'], 'its primary: postgresql://user:password@host:5432/database', {
      secret: true,
    }),
    replicaUrl: url(
      ['postgresql:', 'postgres:'],
      'a physical replica of it, for reading history: postgresql://user:password@host:5432/database',
      { secret: true },
    ).optional(),
    passwordFile: file('holds the password, instead of the URLs').optional(),
    slots,
  },
  'one PostgreSQL database',
);

const sasl = section(
  {
    mechanism: field(
      z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      'one of plain, scram-sha-256, scram-sha-512',
      'how to log in',
    ),
    username: text('who logs in'),
    password: secretText('the password').optional(),
    passwordFile: file('holds the password, instead of `password`').optional(),
  },
  'login at the brokers; none when left out',
);

const kafka = section(
  {
    brokers: z.array(hostPort('one broker')).min(1).meta({
      allowed: 'a list of host:port',
      description: 'some brokers; the others are learned from them',
    }),
    ssl: flag('whether to speak TLS with the brokers').default(false),
    sasl: sasl.optional(),
    partitions: integer(1, 10_000, 'of each topic that `parley migrate` makes').default(12),
    replicationFactor: integer(1, 9, 'of each topic that `parley migrate` makes').default(3),
    retentionHours: integer(1, 8_760, 'how long an event waits for a region that is cut off').default(168),
    minInsyncReplicas: integer(1, 9, 'replicas that must have an event before it counts').default(2),
  },
  'the delivery queue of this region',
);

const redis = section(
  {
    url: url(
      ['redis:', 'rediss:'],
      'one Redis: redis://user:password@host:6379, with /2 for its database 2',
      {
        secret: true,
      },
    ).optional(),
    nodes: z
      .array(hostPort('one node'))
      .min(1)
      .meta({
        allowed: 'a list of host:port',
        description: 'some nodes of a Redis Cluster, instead of `url`',
      })
      .optional(),
    username: text('of a Redis Cluster').optional(),
    password: secretText('of a Redis Cluster').optional(),
    passwordFile: file('holds the password').optional(),
    tls: flag('whether to speak TLS with the nodes of a Redis Cluster').default(false),
  },
  'the session registry, presence and node directory of this region',
);

const region = section(
  {
    name: name('of the region; part of topic names, never changes'),
    postgres: section(
      {
        shards: z
          .array(shard)
          .min(1)
          .meta({ allowed: 'a list of shards', description: 'the message store of this region' }),
      },
      'the message store of this region',
    ),
    kafka,
    redis,
  },
  'one region with engines of its own',
);

export const regionsSchema = z
  .array(region)
  .min(1)
  .meta({ allowed: 'a list of regions', description: 'every region of the deployment, this one included' });

export type RegionConfig = z.output<typeof region>;
export type ShardConfig = z.output<typeof shard>;
export type KafkaConfig = z.output<typeof kafka>;
export type RedisConfig = z.output<typeof redis>;
