import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { micros } from '../../core/contract/time.ts';
import type { DurableEffect } from './device-storage.ts';
import { createLocalStorage, DeviceInUseError } from './device-storage-local.ts';

const USER = userId('u_1');
const CHAT = chatId('c_1');

/** A browser's area that holds so many characters. */
function areaOf(most: number): Storage {
  const items = new Map<string, string>();
  const area: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> = {
    getItem: (key) => items.get(key) ?? null,
    setItem(key, value) {
      const others = [...items].filter(([name]) => name !== key).map(([, text]) => text.length);
      if (others.reduce((sum, length) => sum + length, value.length) > most)
        throw new DOMException('full', 'QuotaExceededError');
      items.set(key, value);
    },
    removeItem: (key) => void items.delete(key),
  };
  return area as Storage;
}

const show = (seq: number): DurableEffect => ({
  kind: 'show',
  message: {
    chatId: CHAT,
    seq,
    serverMsgId: serverMsgId(`m_${seq}`),
    from: userId('u_2'),
    fromDevice: deviceId('d_2'),
    ciphertext: 'x'.repeat(10_000),
    mediaIds: [],
    sentAt: micros(0),
  },
});
const put = (id: string): DurableEffect => ({
  kind: 'outbox-put',
  item: { clientMsgId: clientMsgId(id), chatId: CHAT, ciphertext: 'y'.repeat(10_000), mediaIds: [] },
});

test('a full area keeps the outbox and fewer of the messages that were shown', async () => {
  const area = areaOf(60_000);
  const storage = createLocalStorage('parley:d_1', area);
  await storage.load(USER);
  for (let seq = 1; seq <= 10; seq++) await storage.commit([show(seq)]);
  await storage.commit([put('m1')]);
  await storage.commit([put('m2')]);
  await storage.close();
  const again = createLocalStorage('parley:d_1', area);
  const disk = await again.load(USER);
  expect(disk.outbox.map((item) => item.clientMsgId)).toEqual(['m1', 'm2']);
  expect(disk.cursors).toEqual([[CHAT, 10, 'm_10']]);
  await again.close();
});

test('what a user has not sent is there again when another has used the device meanwhile', async () => {
  const area = areaOf(200_000);
  const outboxOf = async (user: string, more: readonly DurableEffect[] = []): Promise<number> => {
    const storage = createLocalStorage('parley:d_1', area);
    const { outbox } = await storage.load(userId(user));
    await storage.commit(more);
    await storage.close();
    return outbox.length;
  };
  await outboxOf('u_1', [put('m1')]);
  expect(await outboxOf('u_2', [put('m2'), put('m3')])).toBe(0);
  expect(await outboxOf('u_1')).toBe(1);
  expect(await outboxOf('u_2')).toBe(2);
});

test('there is room for a send, or there is not, and asking takes none', async () => {
  const storage = createLocalStorage('parley:d_2', areaOf(40_000));
  await storage.load(USER);
  expect(storage.hasRoomFor?.(10_000)).toBe(true);
  await storage.commit([put('m1')]);
  expect([storage.hasRoomFor?.(10_000), storage.hasRoomFor?.(20_000)]).toEqual([true, false]);
  await storage.close();
});

test('one tab at a time has a device, until it closes', async () => {
  const area = areaOf(1e6);
  const first = createLocalStorage('parley:d_3', area);
  await first.load(USER);
  await expect(createLocalStorage('parley:d_3', area).load(USER)).rejects.toBeInstanceOf(DeviceInUseError);
  await createLocalStorage('parley:d_4', area).load(USER);
  await first.close();
  const next = createLocalStorage('parley:d_3', area);
  await expect.poll(() => next.load(USER)).toBeDefined();
});

test('a device whose item cannot be read says so each time, and does not blame another tab', async () => {
  const area = areaOf(1e6);
  area.setItem('parley:d_5', '{');
  const refused = () => createLocalStorage('parley:d_5', area).load(USER);
  await expect(refused()).rejects.toBeInstanceOf(SyntaxError);
  await sleep(10);
  await expect(refused()).rejects.toBeInstanceOf(SyntaxError);
});
