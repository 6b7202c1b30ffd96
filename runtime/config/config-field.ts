import { z } from 'zod';

/**
 * What a key is for and what it takes, as one sentence each: the help table, the JSON schema and every error are made of
 * them.
 */
interface FieldNote {
  /** What may be given, to be read after "is not": `a port from 0 to 65535`. */
  readonly allowed: string;
  readonly description: string;
  /** Printed as `***`. A URL only loses its password. */
  readonly secret?: boolean;
}

/** A key that holds a value. */
export function field<Schema extends z.ZodType>(
  schema: Schema,
  allowed: string,
  description: string,
  options: { readonly secret?: boolean } = {},
): Schema {
  const note: FieldNote = { allowed, description, ...options };
  return schema.meta({ ...note });
}

/** A key that holds keys; unknown ones are refused. */
export function section<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  description: string,
): z.ZodObject<Shape, z.core.$strict> {
  return z.strictObject(shape).meta({ allowed: 'keys and values', description });
}

export const integer = (lowest: number, highest: number, description: string) =>
  field(z.int().min(lowest).max(highest), `an integer from ${lowest} to ${highest}`, description);

export const text = (description: string, allowed = 'a text of 1 to 1000 characters') =>
  field(z.string().min(1).max(1_000), allowed, description);

export const secretText = (description: string) =>
  field(z.string().min(1).max(4_000), 'a text', description, { secret: true });

export const file = (description: string) =>
  field(z.string().min(1).max(4_000), 'a path; relative ones start at the configuration file', description);

const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252})|\[?[0-9a-fA-F:.]+\]?)$/;
export const host = (description: string) =>
  field(z.string().regex(HOST), 'a host name or an IP address', description);

export const port = (description: string) =>
  field(z.int().min(0).max(65_535), 'a port from 0 to 65535', description);

const HOST_PORT = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]{0,252})|\[[0-9a-fA-F:.]+\]):([0-9]{1,5})$/;
export const hostPort = (description: string) =>
  field(
    z.string().refine((value) => {
      const match = HOST_PORT.exec(value);
      return match !== null && Number(match[1]) >= 1 && Number(match[1]) <= 65_535;
    }),
    'host:port, such as broker-1:9092',
    description,
  );

/** @param protocols with their colon: `https:`. */
export const url = (
  protocols: readonly string[],
  description: string,
  options: { readonly secret?: boolean } = {},
) =>
  field(
    z.string().refine((value) => URL.canParse(value) && protocols.includes(new URL(value).protocol)),
    `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    description,
    options,
  );

export const origin = (description: string) =>
  field(
    z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value),
    'an origin as browsers say it: https://app.example, without a slash at the end',
    description,
  );

/** Where what is read decides whom this process believes: whoever sits on the way must not be able to write it. */
export const trustedUrl = (description: string) =>
  field(
    z.string().refine((value) => URL.canParse(value) && isTrusted(new URL(value))),
    'a URL that starts with https://, or with http:// on this machine itself (localhost, 127.0.0.1, [::1])',
    description,
  );

function isTrusted({ protocol, hostname }: URL): boolean {
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);
}

export const choice = <const Values extends readonly [string, ...string[]]>(
  values: Values,
  description: string,
) => field(z.enum(values), `one of ${values.join(', ')}`, description);

export const flag = (description: string) => field(z.boolean(), 'true or false', description);

/** Names that become parts of topics, node ids and metrics. */
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;
export const name = (description: string) =>
  field(z.string().regex(NAME), 'a name of 1 to 32 small letters, digits and dashes', description);
