import {
  clientMsgId,
  deviceId,
  userId,
  type ChatId,
  type ClientMsgId,
  type DeviceId,
  type UserId,
} from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import { MILLISECOND, SECOND } from '../../core/contract/time.ts';
import type { DeviceEffect, DeviceStatus } from '../../core/device/device-effect.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import type { TransportChoice } from '../../core/device/transport.ts';
import { fromBase64, toBase64 } from '../client/bytes-base64.ts';
import { openNodeSocket } from '../client/client-socket-node.ts';
import type { OpenSocket } from '../client/client-socket.ts';
import { startDevice, type DeviceShell } from '../client/device-shell.ts';
import { createMemoryStorage, type DeviceStorage } from '../client/device-storage.ts';
import { callHttp, createHttpCalls, type HttpCalls } from '../client/http-calls.ts';
import { uuidV7 } from '../client/uuid-v7.ts';
import type { Witness } from './witness.ts';

/**
 * Devices that a program drives: the SDK's machine, sockets and storage, without a person in front. Each message carries
 * the time at which it was made, so that whoever shows it knows how long it took.
 */
export interface FleetDevice {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly http: HttpCalls;
  readonly transport: TransportChoice;
  readonly status: DeviceStatus;
  /** Sends without an answer. */
  readonly waiting: number;
  start(): void;
  send(chatId: ChatId, bytes?: number): ClientMsgId;
  read(chatId: ChatId): void;
  open(chatId: ChatId): void;
  close(chatId: ChatId): void;
  typing(chatId: ChatId): void;
  /** Ends the connection and the device; its storage can be used by another. */
  stop(): Promise<void>;
}

export interface FleetDeviceOptions {
  readonly url: string;
  /**
   * Gateways to try in turn, one an attempt, as a load balancer would; who polls stays with one of them. `url` answers
   * everything else.
   */
  readonly gateways?: readonly string[];
  readonly user: number;
  readonly device: number;
  readonly witness?: Witness;
  readonly storage?: DeviceStorage;
  readonly limits?: Limits;
  readonly onEffect?: (effect: DeviceEffect) => void;
  /** A send was acknowledged, or a message of somebody else shown, this many milliseconds after it was made. */
  readonly onAcked?: (latencyMs: number) => void;
  readonly onShown?: (latencyMs: number) => void;
  /** WebSockets unless it says otherwise. */
  readonly transport?: TransportChoice;
}

/** Like an app on a good network, but eager: tests wait for reconnects, people would not notice. */
export const EAGER_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  reconnectBase: 100 * MILLISECOND,
  reconnectMax: 1 * SECOND,
  connectTimeout: 5 * SECOND,
  sendRetry: 2 * SECOND,
};

export async function createFleetDevice(options: FleetDeviceOptions): Promise<FleetDevice> {
  const { url, gateways, witness, onEffect, onAcked, onShown, transport = 'websocket' } = options;
  const user = userId(`u_${options.user}`);
  const device = deviceId(`d_${options.device}`);
  const watched = witness?.watch(user, device);
  let token: Promise<string> | undefined;
  const getToken = (): Promise<string> =>
    (token ??= fetchToken(url, user, device).catch((error: unknown) => {
      token = undefined;
      throw error;
    }));
  const made = new Map<ClientMsgId, number>();
  let status: DeviceStatus = 'stopped';
  const shell: DeviceShell = await startDevice({
    userId: user,
    deviceId: device,
    limits: options.limits ?? EAGER_LIMITS,
    seed: options.device,
    wsUrl: `${(gateways?.[options.device % gateways.length] ?? url).replace(/^http/, 'ws')}/ws/connect`,
    getToken,
    openSocket: balanced(gateways, options.device),
    transport,
    storage: options.storage ?? createMemoryStorage(),
    onBroken: (error) => {
      throw error;
    },
    onEffect(effect) {
      watched?.effect(effect);
      onEffect?.(effect);
      switch (effect.kind) {
        case 'status':
          ({ status } = effect);
          break;
        case 'sent':
        case 'send-failed': {
          const since = made.get(effect.clientMsgId);
          made.delete(effect.clientMsgId);
          if (effect.kind === 'sent' && since !== undefined) onAcked?.(performance.now() - since);
          break;
        }
        case 'show':
          if (onShown !== undefined && effect.message.from !== user)
            onShown(Date.now() - madeAt(effect.message.ciphertext));
          break;
        default:
      }
    },
  });
  const dispatch = (event: DeviceEvent): void => {
    watched?.event(event);
    shell.dispatch(event);
  };
  return {
    userId: user,
    deviceId: device,
    http: createHttpCalls(url, getToken),
    transport,
    get status() {
      return status;
    },
    get waiting() {
      return made.size;
    },
    start: () => shell.dispatch({ kind: 'start' }),
    send(chatId, bytes = 32) {
      const id = clientMsgId(uuidV7());
      const event = {
        kind: 'send',
        clientMsgId: id,
        chatId,
        ciphertext: payload(bytes),
        mediaIds: [],
      } as const;
      made.set(id, performance.now());
      dispatch(event);
      return id;
    },
    read: (chatId) => shell.dispatch({ kind: 'read', chatId }),
    open: (chatId) => dispatch({ kind: 'open', chatId }),
    close: (chatId) => dispatch({ kind: 'close', chatId }),
    typing: (chatId) => shell.dispatch({ kind: 'typing', chatId }),
    stop: () => shell.close(),
  };
}

/** Each attempt goes to the next gateway; the first to one of the device's own. */
function balanced(gateways: readonly string[] | undefined, device: number): OpenSocket {
  if (gateways === undefined) return openNodeSocket;
  let attempt = device;
  return (_wsUrl, token, events) => {
    const url = gateways[attempt++ % gateways.length] as string;
    return openNodeSocket(`${url.replace(/^http/, 'ws')}/ws/connect`, token, events);
  };
}

async function fetchToken(url: string, user: UserId, device: DeviceId): Promise<string> {
  const body = { userId: user, deviceId: device };
  return (await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body })).token;
}

/** The time in milliseconds since the epoch, in 8 bytes, and zeros up to the size. @param bytes at least 8. */
function payload(bytes: number): string {
  const content = new Uint8Array(Math.max(8, bytes));
  new DataView(content.buffer).setFloat64(0, performance.timeOrigin + performance.now());
  return toBase64(content);
}

function madeAt(ciphertext: string): number {
  const head = fromBase64(ciphertext.slice(0, 12));
  return new DataView(head.buffer).getFloat64(0);
}
