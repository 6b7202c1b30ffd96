import { expect, it } from 'vitest';
import { chatId, connId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { micros } from '../contract/time.ts';
import type { ServerFrame } from '../wire/frames.ts';
import { emptyDisk } from './device-disk.ts';
import { createDevice, stepDevice } from './device.ts';

it('shows counts that rise, the newest of each message, and takes nothing back', () => {
  const limits = { ...DEFAULT_LIMITS, countedMessages: 2 };
  const me = { userId: userId('u_1'), deviceId: deviceId('d_1') };
  const device = createDevice({ ...me, limits, seed: 1, disk: emptyDisk() });
  const hear = (frame: ServerFrame): string[] =>
    stepDevice(device, { kind: 'frame', conn: connId(1), frame }, micros(9)).flatMap((effect) => {
      if (effect.kind !== 'receipt-count') return [];
      const { seq, deliveredCount, readCount } = effect.count;
      return [`#${seq} ${deliveredCount}/${readCount}`];
    });
  const count = (seq: number, deliveredCount: number, readCount: number): string[] => {
    const about = { frame: 'RECEIPT', chatId: chatId('c_1'), serverMsgId: serverMsgId(`m_${seq}`) } as const;
    return hear({ ...about, seq, type: 'DELIVERED', deliveredCount, readCount, at: micros(1) });
  };
  stepDevice(device, { kind: 'start' }, micros(1));
  hear({
    frame: 'WELCOME',
    deviceId: me.deviceId,
    gatewayId: nodeId('gw-1'),
    region: 'eu',
    sessionEpoch: 1,
    heartbeatMs: 1_000,
    maxInFlight: 9,
    chats: [{ chatId: chatId('c_1'), head: 9, cursor: 9 }],
  });
  expect(count(7, 3, 0)).toEqual(['#7 3/0']);
  expect(count(7, 3, 0)).toEqual([]);
  expect(count(7, 2, 0)).toEqual([]);
  // One way was ahead in what is delivered, the other in what is read.
  expect(count(7, 2, 1)).toEqual(['#7 3/1']);
  expect(count(8, 1, 0)).toEqual(['#8 1/0']);
  expect(count(9, 1, 0)).toEqual(['#9 1/0']);
  expect([...(device.chats.get(chatId('c_1'))?.counts?.keys() ?? [])]).toEqual([8, 9]);
  // A repeat that was long on its way: what was told of it is forgotten, and may have been more.
  expect(count(7, 2, 0)).toEqual([]);
  expect(count(8, 2, 0)).toEqual(['#8 2/0']);
});
