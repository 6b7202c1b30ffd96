import {
  appendFileSync,
  mkdirSync,
  renameSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { micros } from '../../core/contract/time.ts';
import { createFileStorage, StorageInUseError } from './device-storage-file-node.ts';
import type { DurableEffect } from './device-storage.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-storage-'));
  path = join(folder, 'device.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const USER = userId('u_1');
const CHAT = chatId('c_9');
const put = (n: number): DurableEffect => ({
  kind: 'outbox-put',
  item: { clientMsgId: clientMsgId(`m${n}`), chatId: CHAT, ciphertext: 'aGk=', mediaIds: [] },
});
const show = (seq: number, bytes = 4): DurableEffect => ({
  kind: 'show',
  message: {
    chatId: CHAT,
    seq,
    serverMsgId: serverMsgId(`m_${seq}`),
    from: userId('u_2'),
    fromDevice: deviceId('d_2'),
    ciphertext: 'A'.repeat(bytes),
    mediaIds: [],
    sentAt: micros(0),
  },
});

/** Opens, does something, and closes again as an application would. */
async function session<Result>(
  run: (storage: ReturnType<typeof createFileStorage>) => Promise<Result>,
): Promise<Result> {
  const storage = createFileStorage(path);
  try {
    return await run(storage);
  } finally {
    await storage.close();
  }
}
const reload = () => session((storage) => storage.load(USER));

test('outbox, cursors and messages come back', async () => {
  await session(async (storage) => {
    await storage.load(USER);
    await storage.commit([put(1), put(2)]);
    await storage.commit([show(1), { kind: 'outbox-drop', clientMsgId: clientMsgId('m1') }]);
  });
  const disk = await reload();
  expect(disk.outbox.map((item) => item.clientMsgId)).toEqual(['m2']);
  expect(disk.cursors).toEqual([[CHAT, 1, 'm_1']]);
  await session(async (storage) => {
    await storage.load(USER);
    expect(storage.messages(CHAT).map(({ seq }) => seq)).toEqual([1]);
  });
});

test('a commit that was cut off or damaged never was, and those before it were', async () => {
  await session(async (storage) => {
    await storage.load(USER);
    await storage.commit([put(1)]);
    await storage.commit([put(2)]);
  });
  truncateSync(path, statSync(path).size - 5);
  expect((await reload()).outbox.map((item) => item.clientMsgId)).toEqual(['m1']);
  const text = readFileSync(path, 'utf8');
  appendFileSync(path, text.replace('m1', 'mX'));
  expect((await reload()).outbox.map((item) => item.clientMsgId)).toEqual(['m1']);
});

test('a long log is rewritten, and holds the same', async () => {
  await session(async (storage) => {
    await storage.load(USER);
    for (let seq = 1; seq <= 120; seq++) await storage.commit([show(seq, 64 * 1024)]);
    for (let seq = 121; seq <= 500; seq++) await storage.commit([show(seq)]);
  });
  const before = statSync(path).size;
  expect((await reload()).cursors).toEqual([[CHAT, 500, 'm_500']]);
  expect(statSync(path).size).toBeLessThan(before);
});

test('another process keeps the file to itself; what a dead one left does not matter', async () => {
  await session(async (storage) => {
    await storage.load(USER);
    await expect(createFileStorage(path).load(USER)).rejects.toBeInstanceOf(StorageInUseError);
  });
  writeFileSync(`${path}.lock`, '999999999');
  expect((await reload()).outbox).toEqual([]);
});

test('an earlier run with the number of this process, as in a container, is not this process', async () => {
  for (const left of [JSON.stringify({ pid: process.pid, started: '1' }), String(process.pid)]) {
    writeFileSync(`${path}.lock`, left);
    expect((await reload()).outbox).toEqual([]);
  }
});

test('what another user kept in the file is not sent', async () => {
  await session(async (storage) => {
    await storage.load(USER);
    await storage.commit([put(1)]);
  });
  await session(async (storage) => expect((await storage.load(userId('u_2'))).outbox).toEqual([]));
});

test('what a user has not sent is there again when another has used the file meanwhile', async () => {
  const outboxOf = async (user: string, more: readonly DurableEffect[] = []): Promise<number> => {
    let kept = 0;
    await session(async (storage) => {
      kept = (await storage.load(userId(user))).outbox.length;
      await storage.commit(more);
    });
    return kept;
  };
  await outboxOf('u_1', [put(1)]);
  expect(await outboxOf('u_2', [put(2), put(3)])).toBe(0);
  expect(await outboxOf('u_1')).toBe(1);
  expect(await outboxOf('u_2')).toBe(2);
  // Between the two renames the process died: there is no file, and each has his own aside.
  renameSync(path, `${path}.u_2`);
  expect(await outboxOf('u_1')).toBe(1);
});

test('a file that could not be opened may be opened later, by the same process too', async () => {
  mkdirSync(`${path}.new`);
  await expect(createFileStorage(path).load(USER)).rejects.toThrow('EISDIR');
  rmSync(`${path}.new`, { recursive: true });
  expect((await reload()).outbox).toEqual([]);
});

test('who could not have the file, or has closed it before, does not free it for others', async () => {
  const first = createFileStorage(path);
  await first.load(USER);
  await first.close();
  await session(async (second) => {
    await second.load(USER);
    await expect(reload()).rejects.toBeInstanceOf(StorageInUseError);
    await first.close();
    await expect(reload()).rejects.toBeInstanceOf(StorageInUseError);
  });
});
