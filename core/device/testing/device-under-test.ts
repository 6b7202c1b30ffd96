import { chatId, clientMsgId, connId, deviceId, nodeId, serverMsgId, userId } from '../../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../../contract/limits.ts';
import { micros, MILLISECOND, SECOND } from '../../contract/time.ts';
import type { ErrorCode, GoawayReason, MessageFrame, ServerFrame } from '../../wire/frames.ts';
import { createDevice, stepDevice } from '../device.ts';
import {
  applyToDisk,
  type DeviceDisk,
  type DiskImage,
  diskOf,
  emptyDisk,
  newDiskImage,
} from '../device-disk.ts';
import type { DeviceEvent, DeviceTimer } from '../device-event.ts';
import type { Device } from '../device-state.ts';
import type { TransportChoice } from '../transport.ts';
import { line } from './effect-line.ts';

export const C = chatId('c_1');

/**
 * Device `d_1` of user `u_1` and the world around it: each method is one event, and answers with the effects of that event as
 * lines. What is durable of them is on the disk before the next event. Unless a test says otherwise the chat is `c_1`.
 */
export class DeviceUnderTest {
  readonly device: Device;
  readonly #image: DiskImage;
  #now = 100 * SECOND;
  /** The latest connection. */
  #conn = 1;

  constructor(
    change: Partial<Limits> = {},
    disk: DeviceDisk = emptyDisk(),
    seed = 1,
    transport?: TransportChoice,
  ) {
    this.device = createDevice({
      userId: userId('u_1'),
      deviceId: deviceId('d_1'),
      limits: { ...DEFAULT_LIMITS, ...change },
      seed,
      disk,
      ...(transport === undefined ? {} : { transport }),
    });
    this.#image = newDiskImage(userId('u_1'), disk);
  }

  /** Every effect of one event. */
  all(event: DeviceEvent): string[] {
    const effects = stepDevice(this.device, event, micros(this.#now));
    for (const effect of effects) {
      applyToDisk(this.#image, effect);
      if (effect.kind === 'connect') this.#conn = effect.conn;
    }
    return effects.map(line);
  }

  /** The same without timers, which most scenarios are not about. */
  step(event: DeviceEvent): string[] {
    return this.all(event).filter((l) => !l.startsWith('wake'));
  }

  disk(): DeviceDisk {
    return diskOf(this.#image);
  }

  later(ms: number): number {
    return (this.#now += ms * MILLISECOND);
  }

  wake(timer: DeviceTimer): string[] {
    return this.all({ kind: 'wake', timer });
  }

  start(): string[] {
    return this.all({ kind: 'start' });
  }

  closed(): string[] {
    return this.all({ kind: 'closed', conn: connId(this.#conn), code: 1006 });
  }

  reconnect(): this {
    this.closed();
    this.wake('reconnect');
    return this;
  }

  /** Live, in c_1, having everything up to #5. */
  live(): this {
    this.start();
    this.welcome('c_1 5');
    this.synced();
    return this;
  }

  send(key: string, chat = C): string[] {
    return this.step({
      kind: 'send',
      clientMsgId: clientMsgId(key),
      chatId: chat,
      ciphertext: 'AAAA',
      mediaIds: [],
    });
  }

  read(): string[] {
    return this.step({ kind: 'read', chatId: C });
  }

  // -------------------------------------------------------------- what the server says

  hear(frame: ServerFrame): string[] {
    return this.step({ kind: 'frame', conn: connId(this.#conn), frame });
  }

  /** `welcome('c_1 3')`: the server's cursor of c_1 is 3. */
  welcome(...chats: string[]): string[] {
    return this.hear({
      frame: 'WELCOME',
      deviceId: deviceId('d_1'),
      gatewayId: nodeId('gw-1'),
      region: 'eu',
      sessionEpoch: 1,
      heartbeatMs: 15_000,
      maxInFlight: 256,
      chats: chats.map((text) => {
        const [chat = '', cursor = ''] = text.split(' ');
        return { chatId: chatId(chat), head: 99, cursor: Number(cursor) };
      }),
    });
  }

  synced(): string[] {
    return this.hear({ frame: 'SYNCED', heads: [] });
  }

  ack(key: string, seq: number, chat = C): string[] {
    return this.hear({
      frame: 'ACK',
      clientMsgId: clientMsgId(key),
      chatId: chat,
      serverMsgId: serverMsgId(`m_${seq}`),
      seq,
      sentAt: undefined,
      duplicate: false,
    });
  }

  error(code: ErrorCode, key: string | undefined, retryAfterMs?: number): string[] {
    return this.hear({
      frame: 'ERROR',
      code,
      message: 'no',
      retryAfterMs,
      clientMsgId: key === undefined ? undefined : clientMsgId(key),
      chatId: undefined,
    });
  }

  message(seq: number, change: Partial<MessageFrame> = {}): string[] {
    return this.hear({
      frame: 'MESSAGE',
      serverMsgId: serverMsgId(`m_${seq}`),
      chatId: C,
      seq,
      prev: seq - 1,
      from: userId('u_2'),
      fromDevice: deviceId('d_2'),
      clientMsgId: undefined,
      ciphertext: 'AAAA',
      mediaIds: [],
      sentAt: micros(1),
      ...change,
    });
  }

  goaway(reason: GoawayReason, reconnectAfterMs = 750): string[] {
    const frame = { frame: 'GOAWAY', reason, reconnectAfterMs } as const;
    return this.all({ kind: 'frame', conn: connId(this.#conn), frame });
  }
}

export const start = (...given: ConstructorParameters<typeof DeviceUnderTest>): DeviceUnderTest =>
  new DeviceUnderTest(...given);

/** The number at the end of `wake reconnect in 123.4`. */
export const delayOf = (lines: readonly string[], timer: DeviceTimer = 'reconnect'): number =>
  Number(
    lines
      .find((l) => l.startsWith(`wake ${timer}`))
      ?.split(' ')
      .pop(),
  );
