import { z } from 'zod';
import { NODE_NAME } from '../ports/process-id.ts';
import {
  choice,
  field,
  file,
  flag,
  host,
  hostPort,
  integer,
  name,
  origin,
  port,
  secretText,
  section,
  text,
  trustedUrl,
  url,
} from './config-field.ts';
import { limitsSchema } from './limits-schema.ts';
import { regionsSchema } from './regions-schema.ts';

/**
 * Everything that can be configured, once. What a process needs beyond the shape (every slot once, keys that exclude each
 * other) is in `check-config.ts`.
 */

const http = section(
  {
    host: host('address to listen on').default('127.0.0.1'),
    port: port('port to listen on, 0 for a free one').default(8080),
    trustProxy: flag('whether X-Forwarded-For names the client: only behind a proxy that sets it').default(
      false,
    ),
    allowedOrigins: z.array(origin('one origin')).default([]).meta({
      allowed: 'a list of origins, such as https://app.example',
      description: 'of web pages that may call this process besides its own (CORS)',
    }),
  },
  'where this process answers over HTTP: probes and metrics, and what its role serves',
);

const links = section(
  {
    host: host('address to listen on').default('127.0.0.1'),
    port: port('port to listen on, 0 for a free one').default(7443),
    advertise: hostPort(
      'where other processes reach it; default: host and port, with host 0.0.0.0 the host name',
    ).optional(),
    tls: section(
      {
        cert: file('certificate of this process (PEM), whose name is `nodeName`'),
        key: file('its private key (PEM)'),
        ca: file('certificates of the authority that signs every node (PEM)'),
      },
      'both ends of a link prove who they are',
    ),
  },
  'the links to the other processes',
);

const jwks = section(
  {
    url: trustedUrl('where the key set is published').optional(),
    file: file('a key set, instead of `url`').optional(),
    issuer: text('what the claim `iss` must be; not looked at when left out').optional(),
    audience: text('what the claim `aud` must contain').default('parley'),
  },
  'tokens of an identity provider: EdDSA, ES256 or RS256',
);

const tokens = section(
  {
    development: section(
      { secretFile: file('a secret of at least 32 bytes in hex; made when missing') },
      'anybody may ask this deployment for a token of anybody: for development only',
    ).optional(),
    jwks: jwks.optional(),
  },
  'how devices prove who they are: exactly one of the two',
);

const filesystem = z.strictObject({
  kind: z.literal('filesystem').meta({ description: 'where media are kept' }),
  folder: file('where media lie; shared by every process that serves HTTP'),
});
const s3 = z.strictObject({
  kind: z.literal('s3').meta({ description: 'where media are kept' }),
  endpoint: url(['https:', 'http:'], 'of the service'),
  region: text('the name of the service’s region').default('us-east-1'),
  bucket: text('the bucket'),
  accessKeyId: text('the key’s id'),
  secretAccessKey: secretText('the key').optional(),
  secretAccessKeyFile: file('holds the key, instead of `secretAccessKey`').optional(),
});
const media = z.discriminatedUnion('kind', [filesystem, s3]).meta({
  allowed: 'keys and values, with kind: filesystem or kind: s3',
  description: 'where media are kept; no media when left out',
});

export const LOG_LEVEL_CHOICES = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export const configSchema = section(
  {
    nodeName: field(
      z.string().max(200).regex(NODE_NAME),
      'a DNS name of small letters, digits, dashes and dots',
      'of this process, as its certificate says; default: the host name',
    ).optional(),
    region: name('where this process stands; default: the only region').optional(),
    regions: regionsSchema,
    http: http.prefault({}),
    links,
    tokens,
    media: media.optional(),
    limits: limitsSchema.prefault({}),
    retention: section(
      {
        messageDays: integer(
          1,
          36_500,
          'how long messages can be read; older ones are dropped, their places in the chat stay. For ever when left out',
        ).optional(),
      },
      'what is kept, and how long',
    ).prefault({}),
    drain: section(
      {
        timeoutMs: integer(100, 600_000, 'a process that is told to end has ended after this long').default(
          30_000,
        ),
      },
      'how a process ends',
    ).prefault({}),
    log: section(
      { level: choice(LOG_LEVEL_CHOICES, 'the least that is written').default('info') },
      'JSON lines on standard error',
    ).prefault({}),
    observability: section(
      {
        traces: section(
          {
            url: url(['https:', 'http:'], 'of a collector (OTLP over HTTP): http://collector:4318/v1/traces'),
            ratio: field(
              z.number().min(0).max(1),
              'a number from 0 to 1',
              'share of the messages that are traced, the same ones by every role',
            ).default(0.01),
          },
          'traces of messages through the roles; none when left out',
        ).optional(),
      },
      'what this process tells about its work, besides /metrics and its log',
    ).prefault({}),
    recording: section(
      {
        folder: file('where the recording goes, a file a machine'),
        maxBytes: integer(1_000_000, 1_000_000_000_000, 'of one file; what follows is not recorded').default(
          1_073_741_824,
        ),
      },
      'writes down what each machine is told, for `parley sim replay`; as secret as the database',
    ).optional(),
  },
  'the configuration of a Parley process',
);

/** As parsed: defaults are filled in, nothing is cross-checked yet. */
export type ParsedConfig = z.output<typeof configSchema>;
