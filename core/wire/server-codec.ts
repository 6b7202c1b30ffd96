import { nodeId } from '../contract/ids.ts';
import { CLIENT_FRAMES, type Decoded, decodeFrame } from './client-codec.ts';
import {
  base64Field,
  chatField,
  clientMsgField,
  deviceField,
  enumField,
  FieldProblem,
  type Fields,
  flagField,
  integerField,
  isFields,
  mediaField,
  messageField,
  seqMapField,
  textField,
  timeField,
  userField,
} from './fields.ts';
import {
  ERROR_RETRYABLE,
  type ErrorCode,
  type MessageFrame,
  type ReceiptCountFrame,
  type ReceiptDownFrame,
  type ServerFrame,
  type WelcomeChat,
  type WelcomeFrame,
} from './frames.ts';
import { formatRfc3339 } from './rfc3339.ts';

/** Frames from gateway to device: frame to text, and text to checked frame. */

export function encodeServerFrame(frame: ServerFrame): string {
  switch (frame.frame) {
    case 'MESSAGE': {
      const { prev, sentAt, ...rest } = frame;
      // The common case, no gap before it, goes without saying.
      return JSON.stringify({
        ...rest,
        prev: prev === frame.seq - 1 ? undefined : prev,
        sentAt: formatRfc3339(sentAt),
      });
    }
    case 'ACK': {
      const { sentAt, duplicate } = frame;
      return JSON.stringify({
        ...frame,
        sentAt: sentAt === undefined ? undefined : formatRfc3339(sentAt),
        duplicate: duplicate ? true : undefined,
      });
    }
    case 'RECEIPT':
      return JSON.stringify({ ...frame, at: formatRfc3339(frame.at) });
    case 'PRESENCE': {
      const { lastSeen } = frame;
      return JSON.stringify({
        ...frame,
        lastSeen: lastSeen === undefined ? undefined : formatRfc3339(lastSeen),
      });
    }
    case 'SYNCED':
      return JSON.stringify({ frame: 'SYNCED', heads: Object.fromEntries(frame.heads) });
    case 'ERROR':
      return JSON.stringify({ ...frame, retryable: ERROR_RETRYABLE[frame.code] });
    default:
      return JSON.stringify(frame);
  }
}

/** Never throws, whatever the text. A frame that this version does not know is refused: the device ignores it. */
export function decodeServerFrame(text: string): Decoded<ServerFrame> {
  return decodeFrame(text, readServerFrame);
}

const MAX = Number.MAX_SAFE_INTEGER;

function readServerFrame(name: string, f: Fields): ServerFrame {
  switch (name) {
    case 'MESSAGE':
      return readMessage(f);
    case 'ACK':
      return {
        frame: 'ACK',
        clientMsgId: clientMsgField(f, 'clientMsgId'),
        chatId: chatField(f, 'chatId'),
        serverMsgId: messageField(f, 'serverMsgId'),
        seq: integerField(f, 'seq', 1, MAX),
        sentAt: f['sentAt'] === undefined ? undefined : timeField(f, 'sentAt'),
        duplicate: flagField(f, 'duplicate'),
      };
    case 'RECEIPT':
      return readReceipt(f);
    case 'WELCOME':
      return readWelcome(f);
    case 'SYNCED':
      return { frame: 'SYNCED', heads: seqMapField(f, 'heads', MAX) };
    case 'PRESENCE':
      return {
        frame: 'PRESENCE',
        userId: userField(f, 'userId'),
        status: enumField(f, 'status', ['ONLINE', 'OFFLINE']),
        lastSeen: f['lastSeen'] === undefined ? undefined : timeField(f, 'lastSeen'),
      };
    case 'TYPING':
      return { frame: 'TYPING', chatId: chatField(f, 'chatId'), from: userField(f, 'from') };
    case 'SYNC_END':
      return { frame: 'SYNC_END', chatId: chatField(f, 'chatId'), head: integerField(f, 'head', 0, MAX) };
    case 'PING':
    case 'PONG':
      return { frame: name, t: integerField(f, 't', 0, MAX) };
    case 'ERROR':
      return readError(f);
    case 'GOAWAY':
      return {
        frame: 'GOAWAY',
        reason: enumField(f, 'reason', ['drain', 'replaced', 'slow_consumer', 'auth_expired']),
        reconnectAfterMs: integerField(f, 'reconnectAfterMs', 0, MAX),
      };
    default:
      throw new FieldProblem('frame: is not known to this version');
  }
}

function readReceipt(f: Fields): ReceiptDownFrame | ReceiptCountFrame {
  const about = {
    frame: 'RECEIPT',
    chatId: chatField(f, 'chatId'),
    serverMsgId: messageField(f, 'serverMsgId'),
    seq: integerField(f, 'seq', 1, MAX),
    type: enumField(f, 'type', ['DELIVERED', 'READ']),
    at: timeField(f, 'at'),
  } as const;
  if (f['deliveredCount'] === undefined) return { ...about, userId: userField(f, 'userId') };
  const deliveredCount = integerField(f, 'deliveredCount', 0, MAX);
  return { ...about, deliveredCount, readCount: integerField(f, 'readCount', 0, deliveredCount) };
}

function readMessage(f: Fields): MessageFrame {
  const seq = integerField(f, 'seq', 1, MAX);
  return {
    frame: 'MESSAGE',
    serverMsgId: messageField(f, 'serverMsgId'),
    chatId: chatField(f, 'chatId'),
    seq,
    prev: f['prev'] === undefined ? seq - 1 : integerField(f, 'prev', 0, seq - 1),
    from: userField(f, 'from'),
    fromDevice: deviceField(f, 'fromDevice'),
    clientMsgId: f['clientMsgId'] === undefined ? undefined : clientMsgField(f, 'clientMsgId'),
    ciphertext: base64Field(f, 'ciphertext', MAX),
    mediaIds: mediaField(f, 'mediaIds', MAX),
    sentAt: timeField(f, 'sentAt'),
  };
}

function readWelcome(f: Fields): WelcomeFrame {
  const chats = f['chats'];
  if (!Array.isArray(chats)) throw new FieldProblem('chats: must be a list');
  return {
    frame: 'WELCOME',
    deviceId: deviceField(f, 'deviceId'),
    gatewayId: nodeId(textField(f, 'gatewayId')),
    region: textField(f, 'region'),
    sessionEpoch: integerField(f, 'sessionEpoch', 0, MAX),
    heartbeatMs: integerField(f, 'heartbeatMs', 1, MAX),
    maxInFlight: integerField(f, 'maxInFlight', 1, MAX),
    chats: chats.map(readWelcomeChat),
  };
}

function readWelcomeChat(value: unknown): WelcomeChat {
  if (!isFields(value)) throw new FieldProblem('chats: must be a list of objects');
  return {
    chatId: chatField(value, 'chatId'),
    head: integerField(value, 'head', 0, MAX),
    cursor: integerField(value, 'cursor', 0, MAX),
  };
}

function readError(f: Fields): ServerFrame {
  const code = textField(f, 'code');
  return {
    frame: 'ERROR',
    // A code of a newer server: what to do is in `retryable`, and `internal` is the code that says no more than that.
    code: Object.hasOwn(ERROR_RETRYABLE, code)
      ? (code as ErrorCode)
      : flagField(f, 'retryable')
        ? 'internal'
        : 'bad_frame',
    message: textField(f, 'message'),
    retryAfterMs: f['retryAfterMs'] === undefined ? undefined : integerField(f, 'retryAfterMs', 0, MAX),
    clientMsgId: f['clientMsgId'] === undefined ? undefined : clientMsgField(f, 'clientMsgId'),
    chatId: f['chatId'] === undefined ? undefined : chatField(f, 'chatId'),
    // A frame of a newer version is nothing that this device has sent.
    refusedFrame: CLIENT_FRAMES.find((name) => name === f['refusedFrame']),
  };
}
