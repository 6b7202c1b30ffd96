import type { ChatId, ClientMsgId, DeviceId, MediaId, ServerMsgId, UserId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import { parseRfc3339 } from './rfc3339.ts';

/**
 * Reading the fields of a frame that anybody may have written. A reader returns the checked value or throws a
 * `FieldProblem`, which the codec turns into a refusal: nothing of it leaves the codec.
 */
export class FieldProblem extends Error {
  readonly code: 'bad_frame' | 'too_large';
  /** @param message names the field and says what it must be. */
  constructor(message: string, code: 'bad_frame' | 'too_large' = 'bad_frame') {
    super(message);
    this.code = code;
  }
}

export type Fields = Readonly<Record<string, unknown>>;

const MAX_ID = '9223372036854775807'; // 2^63 - 1
const ID = /^[a-z]_(0|[1-9][0-9]{0,18})$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/**
 * Of the last digit before padding some bits stand for nothing, and must be 0 (RFC 4648 section 3.5). A store keeps bytes:
 * it would give back another text than was sent, and a repeat of a send would pass for another message.
 */
const BASE64 = /^[A-Za-z0-9+/]*(?:[AQgw]==|[AEIMQUYcgkosw048]=)?$/;

/** @returns whether the text is `prefix`, `_` and an unsigned 63-bit decimal without leading zeros. */
export function isId(prefix: string, value: unknown): value is string {
  if (typeof value !== 'string' || value.charAt(0) !== prefix || !ID.test(value)) return false;
  const number = value.slice(2);
  // Same length: text order is number order.
  return number.length < MAX_ID.length || number <= MAX_ID;
}

function idField(fields: Fields, name: string, prefix: string): string {
  const value = fields[name];
  if (isId(prefix, value)) return value;
  throw new FieldProblem(`${name}: must be an id such as "${prefix}_42"`);
}

export const userField = (fields: Fields, name: string): UserId => idField(fields, name, 'u') as UserId;
export const deviceField = (fields: Fields, name: string): DeviceId => idField(fields, name, 'd') as DeviceId;
export const chatField = (fields: Fields, name: string): ChatId => idField(fields, name, 'c') as ChatId;
export const messageField = (fields: Fields, name: string): ServerMsgId =>
  idField(fields, name, 'm') as ServerMsgId;

/** UUIDs compare without case (RFC 9562 section 4): lower case from here on. */
export function clientMsgField(fields: Fields, name: string): ClientMsgId {
  const value = fields[name];
  if (typeof value !== 'string' || !UUID.test(value)) throw new FieldProblem(`${name}: must be a UUID`);
  return value.toLowerCase() as ClientMsgId;
}

/** @param max largest decoded size in bytes. */
export function base64Field(fields: Fields, name: string, max: number): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new FieldProblem(`${name}: must be a string of base64`);
  if (value.length > Math.ceil(max / 3) * 4 || decodedLength(value) > max) {
    throw new FieldProblem(
      `${name}: at most ${max} bytes when decoded; send larger content as media`,
      'too_large',
    );
  }
  if (value.length % 4 !== 0 || !BASE64.test(value))
    throw new FieldProblem(`${name}: is not valid base64 with padding and without stray bits`);
  return value;
}

function decodedLength(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}

export function mediaField(fields: Fields, name: string, max: number): readonly MediaId[] {
  const value = fields[name];
  if (value === undefined) return NO_MEDIA;
  if (!Array.isArray(value) || !value.every((id) => isId('x', id))) {
    throw new FieldProblem(`${name}: must be a list of media ids such as "x_12"`);
  }
  if (value.length > max) throw new FieldProblem(`${name}: at most ${max} media in one message`, 'too_large');
  return value as MediaId[];
}
const NO_MEDIA: readonly MediaId[] = [];

/** An integer within [min, max]. */
export function integerField(fields: Fields, name: string, min: number, max: number): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new FieldProblem(`${name}: must be an integer from ${min} to ${max}`);
  }
  return value;
}

export function enumField<T extends string>(fields: Fields, name: string, allowed: readonly T[]): T {
  const value = fields[name];
  for (const one of allowed) if (one === value) return one;
  throw new FieldProblem(`${name}: must be one of ${allowed.join(', ')}`);
}

export function textField(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new FieldProblem(`${name}: must be a string`);
  return value;
}

export function flagField(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (value !== undefined && typeof value !== 'boolean')
    throw new FieldProblem(`${name}: must be true or false`);
  return value === true;
}

export function timeField(fields: Fields, name: string): Micros {
  const value = fields[name];
  const at = typeof value === 'string' ? parseRfc3339(value) : undefined;
  if (at === undefined) throw new FieldProblem(`${name}: must be RFC 3339 in UTC with milliseconds`);
  return at;
}

export function objectField(fields: Fields, name: string): Fields {
  const value = fields[name];
  if (isFields(value)) return value;
  throw new FieldProblem(`${name}: must be an object`);
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `{ "c_9": 4011 }` as pairs. */
export function seqMapField(
  fields: Fields,
  name: string,
  max: number,
): readonly (readonly [ChatId, number])[] {
  const map = objectField(fields, name);
  const chats = Object.keys(map);
  if (chats.length > max) throw new FieldProblem(`${name}: at most ${max} chats`, 'too_large');
  return chats.map((chat) => {
    if (!isId('c', chat)) throw new FieldProblem(`${name}: its keys must be chat ids such as "c_9"`);
    const seq = map[chat];
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 0) {
      throw new FieldProblem(`${name}.${chat}: must be an integer from 0`);
    }
    return [chat as ChatId, seq] as const;
  });
}
