import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { micros } from '../../core/contract/time.ts';
import { startTestDatabase, type TestDatabase } from '../adapters/postgres/testing/test-database.ts';
import { openShardTruth, type ShardTruth } from './shard-truth.ts';
import { judge } from './verdict.ts';

/** A store that breaks its promise, as no API would show it: it is read so that the oracles see it. */

const SEND = '01890a5d-ac96-774b-bcce-b302099a8057';
let database: TestDatabase;
let client: pg.Client;
let truth: ShardTruth;

beforeAll(async () => {
  database = await startTestDatabase();
  client = new pg.Client({ connectionString: database.connectionString });
  await client.connect();
  truth = openShardTruth([database.connectionString]);
  await client.query(`
    INSERT INTO chats (chat_id, kind, head, version, current_members) VALUES (7, 'group', 2, 3, 1);
    INSERT INTO members VALUES (7, 1, 'owner', '{0}', '{${Number.MAX_SAFE_INTEGER}}'), (7, 2, 'member', '{0}', '{1}');
    INSERT INTO watermarks (chat_id, user_id, delivered_seq, delivered_id, delivered_at) VALUES (7, 2, 1, 71, 5);
    INSERT INTO cursors VALUES (2, 20, 7, 1)`);
});
afterAll(async () => {
  await truth.close();
  await client.end();
  await database.stop();
});

test('members keep their spans, watermarks and cursors are as stored', async () => {
  const [found] = await truth.chats([chatId('c_7')]);
  expect(found?.chat).toMatchObject({ kind: 'group', head: 2, version: 3 });
  expect(found?.chat.members).toContainEqual({
    userId: 'u_2',
    role: 'member',
    spans: [{ after: 0, upTo: 1 }],
  });
  const receipt = { userId: 'u_2', type: 'DELIVERED', seq: 1, serverMsgId: 'm_71', at: 5 };
  expect(found?.watermarks).toEqual([{ chatId: 'c_7', ...receipt }]);
  expect(await truth.cursors([chatId('c_7')])).toEqual([{ chatId: 'c_7', deviceId: 'd_20', seq: 1 }]);
});

test('a send that was stored twice, and never acknowledged, is called so', async () => {
  await client.query(`
    DROP INDEX messages_by_send;
    INSERT INTO messages (chat_id, seq, server_msg_id, client_msg_id, from_user, from_device, sent_at, digest)
    VALUES (7, 1, 71, '${SEND}', 1, 10, 5, 'sixteen bytes, a'), (7, 2, 72, '${SEND}', 1, 10, 6, 'sixteen bytes, b');
    INSERT INTO bodies VALUES (0, 71, 'x'), (0, 72, 'x')`);
  const [chat, user, device] = [chatId('c_7'), userId('u_1'), deviceId('d_10')];
  const send = { chatId: chat, clientMsgId: clientMsgId(SEND), ciphertext: 'eA==' };
  const sightings = [
    { at: 1, observation: { kind: 'device', deviceId: device, userId: user } as const },
    { at: 2, observation: { kind: 'send', deviceId: device, userId: user, ...send } as const },
  ];
  const { violation } = judge(sightings, await truth.chats([chat]), []);
  expect(violation).toMatchObject({ oracle: 'no-duplicate-shown', phase: 'safety' });
});

test('what reaches somebody after he has left is called so', async () => {
  const [chat, user, device] = [chatId('c_7'), userId('u_2'), deviceId('d_20')];
  const message = {
    chatId: chat,
    seq: 2,
    serverMsgId: serverMsgId('m_72'),
    from: userId('u_1'),
    fromDevice: deviceId('d_10'),
    ciphertext: 'eA==',
    mediaIds: [],
    sentAt: micros(6),
  };
  const sightings = [
    { at: 1, observation: { kind: 'device', deviceId: device, userId: user } as const },
    { at: 2, observation: { kind: 'shown', deviceId: device, userId: user, ...message } as const },
  ];
  const { violation } = judge(sightings, await truth.chats([chat]), []);
  expect(violation).toMatchObject({ oracle: 'delivered-set-is-membership', phase: 'safety' });
});

test('a chat that is nowhere is not taken for an empty one', async () => {
  await expect(truth.chats([chatId('c_8')])).rejects.toThrow('c_8 is on no shard');
});
