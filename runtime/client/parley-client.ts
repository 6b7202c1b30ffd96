import {
  clientMsgId,
  type ChatId,
  type ClientMsgId,
  type DeviceId,
  type MediaId,
  type ServerMsgId,
  type UserId,
} from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import type { DeviceEffect, DeviceStatus, ShownMessage } from '../../core/device/device-effect.ts';
import type { TransportChoice } from '../../core/device/transport.ts';
import type { ErrorCode } from '../../core/wire/frames.ts';
import { fromBase64, toBase64 } from './bytes-base64.ts';
import type { OpenSocket } from './client-socket.ts';
import type { ClientEvents, ReceivedMessage } from './client-events.ts';
import { startDevice, type DeviceShell } from './device-shell.ts';
import { createMemoryStorage, type DeviceStorage } from './device-storage.ts';
import { createEmitter, type Emitter } from './emitter.ts';
import { createHttpCalls, type HttpCalls } from './http-calls.ts';
import { createMediaCalls, type MediaCalls } from './media-calls.ts';
import { tokenClaims } from './token-claims.ts';
import { urlUnder } from './url-under.ts';
import { uuidV7 } from './uuid-v7.ts';

export interface ParleyClientOptions {
  /** Of the server: `http://localhost:8080`, or `https://example.com/parley` behind a proxy that puts it there. */
  readonly url: string;
  /** A token, or a function that fetches a fresh one for each connection and request. */
  readonly token: string | (() => string | Promise<string>);
  /** Defaults to one that forgets when the process ends. */
  readonly storage?: DeviceStorage;
  /** `openWebSocket` in browsers, `openNodeSocket` in Node. */
  readonly openSocket: OpenSocket;
  /**
   * What carries the frames. `auto` (the default) is a WebSocket, and long polling where something on the way does not let
   * one through.
   */
  readonly transport?: TransportChoice;
  readonly limits?: Limits;
}

export interface SentMessage {
  readonly clientMsgId: ClientMsgId;
  readonly serverMsgId: ServerMsgId;
  readonly seq: number;
}

/** The server refused a message for good. */
export class SendError extends Error {
  override readonly name = 'SendError';
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * One device of one user. It connects, reconnects and resumes by itself; what it was told to send stays in its outbox
 * until the server has it, across restarts when its storage is durable.
 */
export interface ParleyClient extends HttpCalls, MediaCalls {
  readonly on: Emitter<ClientEvents>['on'];
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly status: DeviceStatus;
  /** Connects, and stays connected until `disconnect`. Also after `unauthenticated`, with a fresh token. */
  connect(): void;
  /**
   * Sends bytes, or text as UTF-8, at most 64 KiB.
   * @returns once the message is durable on the server. It may come true after a restart: then only the event tells.
   * @throws SendError when the server refuses it for good, or the outbox or the storage is full (`overloaded`); Error when
   * the client was disconnected or is broken, also meanwhile.
   */
  send(chatId: ChatId, content: Uint8Array | string, mediaIds?: readonly MediaId[]): Promise<SentMessage>;
  /** The user has read everything shown in the chat. */
  markRead(chatId: ChatId): void;
  /** The chat is on screen: its members' presence and typing are wanted. */
  open(chatId: ChatId): void;
  close(chatId: ChatId): void;
  typing(chatId: ChatId): void;
  /** The latest messages that this device has shown and kept, oldest first. */
  recent(chatId: ChatId): readonly ReceivedMessage[];
  /** Closes the connection and the storage; the client is of no use afterwards. */
  disconnect(): Promise<void>;
}

/**
 * @throws TypeError when the token is not a JWT that names a user and a device, and whatever the storage or the token
 * function throws.
 */
export async function createParleyClient(options: ParleyClientOptions): Promise<ParleyClient> {
  const { url, token } = options;
  const freshToken = async (): Promise<string> => (typeof token === 'string' ? token : token());
  const { userId, deviceId } = tokenClaims(await freshToken());
  /** Whoever signs in as another needs another client: this one would send with his name what the first has written. */
  const getToken = async (): Promise<string> => {
    const fresh = await freshToken();
    const claims = tokenClaims(fresh);
    if (claims.userId !== userId || claims.deviceId !== deviceId)
      throw new TypeError(
        `the token is of ${claims.userId} ${claims.deviceId}, not of ${userId} ${deviceId}`,
      );
    return fresh;
  };
  const storage = options.storage ?? createMemoryStorage();
  const emitter = createEmitter<ClientEvents>();
  const sends = new Map<ClientMsgId, PromiseWithResolvers<SentMessage>>();
  let status: DeviceStatus = 'stopped';
  /** Why nothing is sent any more. */
  let ended: { readonly reason: unknown } | undefined;

  /** Every promise of a send settles: nobody would do it later. */
  function end(reason: unknown): void {
    ended ??= { reason };
    for (const { promise, reject } of sends.values()) {
      // An application that does not look at its sends must not end because it has disconnected.
      promise.catch(() => undefined);
      reject(reason);
    }
    sends.clear();
  }

  const device: DeviceShell = await startDevice({
    userId,
    deviceId,
    storage,
    getToken,
    limits: options.limits ?? DEFAULT_LIMITS,
    seed: crypto.getRandomValues(new Uint32Array(1))[0] as number,
    wsUrl: urlUnder(url.replace(/^http/, 'ws'), '/ws/connect').href,
    openSocket: options.openSocket,
    transport: options.transport ?? 'auto',
    onEffect(effect) {
      if (effect.kind === 'status') ({ status } = effect);
      settleSend(sends, effect);
      announce(emitter, effect, userId);
    },
    onBroken(error) {
      status = 'stopped';
      end(error);
      emitter.emit('broken', error);
    },
  });

  return {
    ...createHttpCalls(url, getToken),
    ...createMediaCalls(url, getToken),
    on: emitter.on,
    userId,
    deviceId,
    get status() {
      return status;
    },
    connect: () => device.dispatch({ kind: 'start' }),
    send(chatId, content, mediaIds = []) {
      const sent = Promise.withResolvers<SentMessage>();
      if (ended !== undefined) {
        sent.reject(ended.reason);
        return sent.promise;
      }
      const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
      const ciphertext = toBase64(bytes);
      if (storage.hasRoomFor?.(ciphertext.length) === false)
        return Promise.reject(new SendError('overloaded', 'the storage of this device is full'));
      const id = clientMsgId(uuidV7());
      sends.set(id, sent);
      device.dispatch({ kind: 'send', clientMsgId: id, chatId, ciphertext, mediaIds });
      return sent.promise;
    },
    markRead: (chatId) => device.dispatch({ kind: 'read', chatId }),
    open: (chatId) => device.dispatch({ kind: 'open', chatId }),
    close: (chatId) => device.dispatch({ kind: 'close', chatId }),
    typing: (chatId) => device.dispatch({ kind: 'typing', chatId }),
    recent: (chatId) => storage.messages(chatId).map((message) => received(message, userId)),
    disconnect() {
      end(
        new Error(
          'the client was disconnected before the server had answered; what it kept is sent by the next one',
        ),
      );
      return device.close();
    },
  };
}

function settleSend(sends: Map<ClientMsgId, PromiseWithResolvers<SentMessage>>, effect: DeviceEffect): void {
  if (effect.kind !== 'sent' && effect.kind !== 'send-failed') return;
  const send = sends.get(effect.clientMsgId);
  sends.delete(effect.clientMsgId);
  if (effect.kind === 'send-failed') send?.reject(new SendError(effect.code, effect.message));
  else send?.resolve({ clientMsgId: effect.clientMsgId, serverMsgId: effect.serverMsgId, seq: effect.seq });
}

function announce(emitter: Emitter<ClientEvents>, effect: DeviceEffect, userId: UserId): void {
  switch (effect.kind) {
    case 'show':
      return emitter.emit('message', received(effect.message, userId));
    case 'sent':
      return emitter.emit('sent', effect);
    case 'send-failed':
      return emitter.emit('send-failed', effect);
    case 'receipt':
      return emitter.emit('receipt', { ...effect.receipt, at: new Date(effect.receipt.at / 1_000) });
    case 'presence': {
      const { lastSeen, status, userId: who } = effect.presence;
      return emitter.emit('presence', {
        userId: who,
        online: status === 'ONLINE',
        lastSeen: lastSeen === undefined ? undefined : new Date(lastSeen / 1_000),
      });
    }
    case 'typing':
      return emitter.emit('typing', { chatId: effect.typing.chatId, from: effect.typing.from });
    case 'synced':
      return emitter.emit('synced', undefined);
    case 'status':
      return emitter.emit('status', effect.status);
    default:
  }
}

function received(message: ShownMessage, userId: UserId): ReceivedMessage {
  const bytes = fromBase64(message.ciphertext);
  return {
    chatId: message.chatId,
    seq: message.seq,
    serverMsgId: message.serverMsgId,
    from: message.from,
    fromDevice: message.fromDevice,
    own: message.from === userId,
    mediaIds: message.mediaIds,
    sentAt: new Date(message.sentAt / 1_000),
    bytes,
    text: () => new TextDecoder().decode(bytes),
  };
}
