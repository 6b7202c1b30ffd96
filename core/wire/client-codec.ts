import type { ClientMsgId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import {
  base64Field,
  chatField,
  clientMsgField,
  enumField,
  FieldProblem,
  type Fields,
  integerField,
  isFields,
  mediaField,
  messageField,
  seqMapField,
} from './fields.ts';
import type { ClientFrame, SendFrame } from './frames.ts';

/** Frames from device to gateway: text to frame, checked field by field, and back. */

export type Decoded<Frame> = { readonly ok: true; readonly frame: Frame } | Undecoded;

export interface Undecoded {
  readonly ok: false;
  readonly code: 'bad_frame' | 'too_large';
  /** Names the field and says what it must be; safe to send back. */
  readonly message: string;
  /** Of a SEND that names it: its device must learn which send to give up, or it would repeat it for ever. */
  readonly clientMsgId?: ClientMsgId | undefined;
}

/** Never throws, whatever the text. Unknown fields are ignored: a newer device may send them. */
export function decodeClientFrame(text: string, limits: Limits): Decoded<ClientFrame> {
  return decodeFrame(text, (name, fields) => readClientFrame(name, fields, limits));
}

/** The same for a frame that was one of several in a larger JSON text. */
export function readClientValue(value: unknown, limits: Limits): Decoded<ClientFrame> {
  return decodeValue(value, (name, fields) => readClientFrame(name, fields, limits));
}

export function decodeFrame<Frame>(
  text: string,
  read: (name: string, fields: Fields) => Frame,
): Decoded<Frame> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, code: 'bad_frame', message: 'the frame is not JSON' };
  }
  return decodeValue(value, read);
}

function decodeValue<Frame>(value: unknown, read: (name: string, fields: Fields) => Frame): Decoded<Frame> {
  if (!isFields(value)) return { ok: false, code: 'bad_frame', message: 'the frame must be one JSON object' };
  const name = value['frame'];
  if (typeof name !== 'string')
    return { ok: false, code: 'bad_frame', message: 'frame: must name the kind of frame' };
  try {
    return { ok: true, frame: read(name, value) };
  } catch (problem) {
    return refusal(problem, name === 'SEND' ? sendIdOf(value) : undefined);
  }
}

/** @throws what is no problem of a field. */
function refusal(problem: unknown, clientMsgId?: ClientMsgId): Undecoded {
  if (!(problem instanceof FieldProblem)) throw problem;
  return { ok: false, code: problem.code, message: problem.message, clientMsgId };
}

function sendIdOf(fields: Fields): ClientMsgId | undefined {
  try {
    return clientMsgField(fields, 'clientMsgId');
  } catch {
    return undefined;
  }
}

/** @returns why a gateway with these limits takes no such send; undefined when it does. */
export function sendProblem(
  { chatId, ciphertext, mediaIds }: Pick<SendFrame, 'chatId' | 'ciphertext' | 'mediaIds'>,
  limits: Limits,
): Undecoded | undefined {
  try {
    readContent({ chatId, ciphertext, mediaIds }, limits);
    return undefined;
  } catch (problem) {
    return refusal(problem);
  }
}

function readContent(fields: Fields, limits: Limits): Pick<SendFrame, 'chatId' | 'ciphertext' | 'mediaIds'> {
  return {
    chatId: chatField(fields, 'chatId'),
    ciphertext: base64Field(fields, 'ciphertext', limits.ciphertextBytes),
    mediaIds: mediaField(fields, 'mediaIds', limits.mediaPerMessage),
  };
}

export const CLIENT_FRAMES = [
  'SEND',
  'RECEIPT',
  'RESUME',
  'OPEN',
  'CLOSE',
  'TYPING',
  'SYNC',
  'PING',
  'PONG',
] as const;

function readClientFrame(name: string, fields: Fields, limits: Limits): ClientFrame {
  switch (name) {
    case 'SEND':
      return {
        frame: 'SEND',
        clientMsgId: clientMsgField(fields, 'clientMsgId'),
        ...readContent(fields, limits),
      };
    case 'RECEIPT':
      return {
        frame: 'RECEIPT',
        chatId: chatField(fields, 'chatId'),
        serverMsgId: messageField(fields, 'serverMsgId'),
        type: enumField(fields, 'type', ['DELIVERED', 'READ']),
      };
    case 'RESUME':
      return { frame: 'RESUME', cursors: seqMapField(fields, 'cursors', limits.chatsPerDevice) };
    case 'OPEN':
    case 'CLOSE':
    case 'TYPING':
      return { frame: name, chatId: chatField(fields, 'chatId') };
    case 'SYNC':
      return {
        frame: 'SYNC',
        chatId: chatField(fields, 'chatId'),
        afterSeq: integerField(fields, 'afterSeq', 0, Number.MAX_SAFE_INTEGER),
        limit:
          fields['limit'] === undefined ? limits.syncPage : integerField(fields, 'limit', 1, limits.syncPage),
      };
    case 'PING':
    case 'PONG':
      return { frame: name, t: integerField(fields, 't', 0, Number.MAX_SAFE_INTEGER) };
    default:
      throw new FieldProblem(`frame: must be one of ${CLIENT_FRAMES.join(', ')}`);
  }
}

export function encodeClientFrame(frame: ClientFrame): string {
  return frame.frame === 'RESUME'
    ? JSON.stringify({ frame: 'RESUME', cursors: Object.fromEntries(frame.cursors) })
    : JSON.stringify(frame);
}
