import { z } from 'zod';
import { chatId, deviceId, mediaId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { isWireId } from '../gateway/wire-id.ts';
import { problem } from './problem.ts';
import { ProblemError } from './http-exchange.ts';

/** The inputs of the HTTP API. Every field that is wrong is named in the answer. */

const wireId = (prefix: string, what: string, example: string) =>
  z.string().refine((text) => isWireId(prefix, text), { error: `is not ${what} id such as ${example}` });

const userIdSchema = wireId('u', 'a user', 'u_3').transform(userId);
const chatIdSchema = wireId('c', 'a chat', 'c_9').transform(chatId);
const mediaIdSchema = wireId('x', 'a media', 'x_12').transform(mediaId);
const serverMsgIdSchema = wireId('m', 'a message', 'm_88').transform(serverMsgId);

/** What people may type instead of an id in development mode. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,63}$/u;
const name = z
  .string()
  .regex(NAME, { error: 'is neither an id nor a name of 1 to 64 letters, digits, dots or dashes' });

/** A parameter of the query string that is an integer. */
export const decimal = (lowest: number, highest: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, { error: `is not an integer from ${lowest} to ${highest}` })
    .transform(Number)
    .refine((value) => value >= lowest && value <= highest, {
      error: `is not an integer from ${lowest} to ${highest}`,
    });

export const createChatBody = (chatMembers: number) =>
  z.strictObject({
    kind: z.enum(['direct', 'group']),
    members: z.array(userIdSchema).max(chatMembers),
  });

export const memberBody = z
  .strictObject({ role: z.enum(['admin', 'member']).default('member') })
  .default({ role: 'member' });
export const chatParams = z.object({ chatId: chatIdSchema });
export const memberParams = z.object({ chatId: chatIdSchema, userId: userIdSchema });
export const receiptsQuery = z.strictObject({ serverMsgId: serverMsgIdSchema });

export const historyQuery = (syncPage: number) =>
  z.strictObject({
    afterSeq: decimal(0, Number.MAX_SAFE_INTEGER).default(0),
    limit: decimal(1, syncPage).default(Math.min(100, syncPage)),
  });

/** RFC 6838 section 4.2: type and subtype, in lower case, without parameters. */
const CONTENT_TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/;
export const newMediaBody = (mediaBytes: number) =>
  z.strictObject({
    size: z.int().min(0).max(mediaBytes),
    contentType: z
      .string()
      .regex(CONTENT_TYPE, { error: 'is not a media type in lower case such as image/jpeg' }),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/i, { error: 'is not a SHA-256 of 64 hexadecimal digits' })
      .transform((text) => text.toLowerCase()),
  });
export const mediaParams = z.object({ mediaId: mediaIdSchema });
export const mediaQuery = z.strictObject({ chatId: chatIdSchema.optional() });

export const devTokenBody = z.strictObject({
  userId: z.union([wireId('u', 'a user', 'u_3').transform(userId), name]),
  deviceId: z.union([wireId('d', 'a device', 'd_7').transform(deviceId), name]).default('main'),
  expiresInS: z
    .int()
    .min(1)
    .max(30 * 24 * 3600)
    .optional(),
});
export const devUserParams = z.object({ name: z.union([userIdSchema, name]) });

/** @throws ProblemError `bad_frame` that names each field and what is wrong with it. */
export function parseInput<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.slice(0, 5).map((issue) => {
    const field = issue.path.join('.');
    return field === '' ? issue.message : `${field}: ${issue.message}`;
  });
  throw new ProblemError(problem('bad_frame', faults.join('; ')));
}
