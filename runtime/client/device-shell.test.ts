import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { micros } from '../../core/contract/time.ts';
import { emptyDisk } from '../../core/device/device-disk.ts';
import { encodeServerFrame } from '../../core/wire/server-codec.ts';
import type { ServerFrame } from '../../core/wire/frames.ts';
import type { SocketEvents } from './client-socket.ts';
import { startDevice } from './device-shell.ts';
import type { DeviceStorage } from './device-storage.ts';

/** What is durable when: the order in which a device saves, speaks and tells, with a storage that takes its time. */

const CHAT = chatId('c_1');
const SEND = {
  kind: 'send',
  clientMsgId: clientMsgId('01900000-0000-7000-8000-000000000001'),
  chatId: CHAT,
  ciphertext: 'aGk=',
  mediaIds: [],
} as const;

interface Bench {
  readonly log: string[];
  readonly server: (frame: ServerFrame) => void;
  readonly device: Awaited<ReturnType<typeof startDevice>>;
  failStorage: boolean;
}

async function begin(): Promise<Bench> {
  const log: string[] = [];
  let socket: SocketEvents | undefined;
  const bench = { log, failStorage: false } as { -readonly [Key in keyof Bench]: Bench[Key] };
  const storage: DeviceStorage = {
    load: () => Promise.resolve(emptyDisk()),
    async commit(effects) {
      await sleep(5);
      if (bench.failStorage) throw new Error('the disk is full');
      for (const { kind } of effects) log.push(`saved ${kind}`);
    },
    messages: () => [],
    close: () => Promise.resolve(),
  };
  bench.device = await startDevice({
    userId: userId('u_1'),
    deviceId: deviceId('d_1'),
    limits: DEFAULT_LIMITS,
    seed: 1,
    wsUrl: 'ws://nowhere',
    getToken: () => Promise.resolve('token'),
    openSocket(_url, _token, events) {
      socket = events;
      return {
        send: (text) => void log.push(`wrote ${(JSON.parse(text) as { frame: string }).frame}`),
        close: () => void log.push('closed'),
      };
    },
    storage,
    onEffect({ kind }) {
      if (kind === 'sent' || kind === 'show') log.push(`told ${kind}`);
    },
    onBroken: (error) => void log.push(`broken: ${(error as Error).message}`),
  });
  bench.server = (frame) => socket?.text(encodeServerFrame(frame));
  bench.device.dispatch({ kind: 'start' });
  await sleep(0);
  socket?.open();
  bench.server({
    frame: 'WELCOME',
    deviceId: deviceId('d_1'),
    gatewayId: 'g' as never,
    region: 'r',
    sessionEpoch: 1,
    heartbeatMs: 15_000,
    maxInFlight: 256,
    chats: [{ chatId: CHAT, head: 0, cursor: 0 }],
  });
  bench.server({ frame: 'SYNCED', heads: [] });
  await sleep(20);
  log.length = 0;
  return bench;
}

const ACK = {
  frame: 'ACK',
  clientMsgId: SEND.clientMsgId,
  chatId: CHAT,
  serverMsgId: serverMsgId('m_1'),
  seq: 1,
  sentAt: undefined,
  duplicate: false,
} as const;

test('a send is in the outbox before it is on the wire, and leaves it after the application was told', async () => {
  const { device, server, log } = await begin();
  device.dispatch(SEND);
  expect(log).toEqual([]);
  await sleep(20);
  expect(log).toEqual(['saved outbox-put', 'wrote SEND']);
  log.length = 0;
  server(ACK);
  await sleep(20);
  expect(log.indexOf('told sent')).toBe(0);
  expect(log).toContain('saved outbox-drop');
  expect(log.indexOf('saved show')).toBeLessThan(log.indexOf('told show'));
  await device.close();
});

test('a message is saved before it is shown, and before its receipt is written', async () => {
  const { device, server, log } = await begin();
  for (let seq = 1; seq <= 3; seq++) {
    server({
      frame: 'MESSAGE',
      serverMsgId: serverMsgId(`m_${seq}`),
      chatId: CHAT,
      seq,
      prev: seq - 1,
      from: userId('u_2'),
      fromDevice: deviceId('d_2'),
      clientMsgId: undefined,
      ciphertext: 'aGk=',
      mediaIds: [],
      sentAt: micros(0),
    });
  }
  await sleep(80);
  expect(log.slice(0, 2)).toEqual(['saved show', 'told show']);
  expect(log.filter((line) => line === 'told show')).toHaveLength(3);
  expect(log.lastIndexOf('saved show')).toBeLessThan(log.indexOf('wrote RECEIPT'));
  await device.close();
});

test('a time that no timer of the runtime can wait for is not over at once', async () => {
  const { device, server, log } = await begin();
  server({ frame: 'GOAWAY', reason: 'drain', reconnectAfterMs: 2 ** 31 });
  await sleep(50);
  expect(log).toEqual([]);
  await device.close();
});

test('a device whose storage fails stops before it says anything that depends on it', async () => {
  const bench = await begin();
  bench.failStorage = true;
  bench.device.dispatch(SEND);
  await sleep(20);
  expect(bench.log).toEqual(['closed', 'broken: the disk is full']);
});

test('what was sent before the device is closed is kept, however many writes that takes', async () => {
  const { device, server, log } = await begin();
  const sendAs = (n: number): void =>
    device.dispatch({ ...SEND, clientMsgId: clientMsgId(`01900000-0000-7000-8000-00000000000${n}`) });
  sendAs(1);
  await sleep(20);
  log.length = 0;
  // While the second is being written the first is acknowledged, and nothing behind that is written along with what is before.
  sendAs(2);
  sendAs(3);
  server(ACK);
  sendAs(4);
  await device.close();
  expect(log.filter((line) => line === 'saved outbox-put')).toHaveLength(3);
});
