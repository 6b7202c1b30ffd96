import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MediaId, UserId } from '../../core/contract/ids.ts';
import { startRedisCluster, type RedisClusterUnderTest } from '../adapters/redis/testing/redis-cluster.ts';
import { callHttp, createHttpCalls } from '../client/http-calls.ts';
import { loadConfig } from '../config/load-config.ts';
import { readServiceState, servicesFolder } from '../deploy/services/service-state.ts';
import { examineDeployment } from '../doctor/examine.ts';
import { createLogger } from '../observability/logger.ts';
import { connectRaw, fetchDevToken } from './raw-device.ts';
import { startTestCluster, type TestCluster } from './test-cluster.ts';

/**
 * What no other system here runs on: media in S3, and sessions, presence and the node directory in a Redis Cluster. Two
 * processes of every role, so that a message from one to the other needs the directory and the registry.
 */

const ALICE = 'u_701' as UserId;
const BOB = 'u_702' as UserId;

const services = readServiceState(servicesFolder(undefined));
if (services === undefined) throw new Error('no services run: make services');
const { s3 } = services;

let redis: RedisClusterUnderTest;
let cluster: TestCluster;
beforeAll(async () => {
  // Of its own: a cluster has no databases, and whoever shares one shares its sessions.
  redis = await startRedisCluster();
  const { endpoint } = redis;
  if (endpoint.kind !== 'cluster') throw new Error('the cluster is none');
  cluster = await startTestCluster({
    regions: 1,
    counts: { gateway: 0, 'message-service': 0, 'outbox-relay': 0, 'delivery-worker': 0, all: 2 },
    redisNodes: endpoint.nodes.map(({ host, port }) => `${host}:${port}`),
    media: { kind: 's3', ...s3 },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await redis?.stop();
});

const urls = () => cluster.processes.map(({ url }) => url) as [string, string];
const api = (url: string, user: UserId) => createHttpCalls(url, () => fetchDevToken(url, user));

async function upload(url: string, content: Uint8Array<ArrayBuffer>): Promise<MediaId> {
  const sha256 = createHash('sha256').update(content).digest('hex');
  const media = await callHttp<{
    readonly mediaId: MediaId;
    readonly uploadUrl: string;
    readonly uploadHeaders: Record<string, string>;
  }>(url, 'POST', '/v1/media', {
    token: await fetchDevToken(url, ALICE),
    body: { size: content.length, contentType: 'image/png', sha256 },
  });
  expect(media.uploadUrl).toContain(`${s3.endpoint}/${s3.bucket}/`);
  const put = await fetch(media.uploadUrl, {
    method: 'PUT',
    body: content,
    headers: media.uploadHeaders,
  });
  expect(put.status).toBe(200);
  return media.mediaId;
}

test('a message with a picture goes from a device of one process to a device of the other', async () => {
  const [here, there] = urls();
  const { chatId } = await api(here, ALICE).createChat('direct', [BOB]);
  const alice = await connectRaw({ url: here, user: ALICE, device: 'phone' });
  const bob = await connectRaw({ url: there, user: BOB, device: 'phone' });
  const content = new Uint8Array(randomBytes(50_000));
  const mediaId = await upload(here, content);
  const clientMsgId = crypto.randomUUID();
  alice.send({ frame: 'SEND', clientMsgId, chatId, ciphertext: 'cGljdHVyZQ==', mediaIds: [mediaId] });
  const message = await bob.next(({ frame }) => frame === 'MESSAGE', 10_000);
  expect(message).toMatchObject({ chatId, ciphertext: 'cGljdHVyZQ==', mediaIds: [mediaId] });
  const token = await fetchDevToken(there, BOB);
  const path = `/v1/media/${mediaId}?chatId=${chatId}`;
  const media = await callHttp<{ downloadUrl: string }>(there, 'GET', path, { token });
  const answer = await fetch(media.downloadUrl);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(content);
  // The way back: the receipt finds Alice by the registry too.
  bob.send({
    frame: 'RECEIPT',
    chatId,
    type: 'DELIVERED',
    serverMsgId: message['serverMsgId'],
  });
  expect(await alice.next(({ frame }) => frame === 'RECEIPT', 10_000)).toMatchObject({ chatId, userId: BOB });
  await Promise.all([alice.close(), bob.close()]);
});

test('the directory of the cluster names both, and the doctor finds bucket and cluster well', async () => {
  const path = `${cluster.plan.folder}/config/${cluster.processes[0]?.name}.json`;
  const findings = await examineDeployment({
    config: loadConfig({ path, environment: {} }),
    timeoutMs: 3_000,
    log: createLogger('silent', 'test'),
  });
  expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  expect(findings.filter(({ subject }) => subject === 'Redis')).toHaveLength(3);
  expect(findings.find(({ subject }) => subject === 'processes')?.detail).toContain('2 gateway');
  expect(findings.map(({ subject }) => subject)).toContain(`media bucket ${s3.bucket}`);
});
