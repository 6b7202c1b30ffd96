import { readFileSync, rmSync } from 'node:fs';
import { ChannelCredentials, Client } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeId } from '../../../core/contract/ids.ts';
import type { NodeRole } from '../../ports/node-directory.ts';
import { identityOf } from './link-identity.ts';
import { channelCredentials, type LinkFiles } from './link-security.ts';
import type { GrpcNodeLinks } from './node-links-grpc.ts';
import { madePush, madeSubmit } from './testing/link-items-made.ts';
import { createLinkRig, type LinkRig } from './testing/link-rig.ts';
import { openRawLink, type RawLink } from './testing/raw-link.ts';

let rig: LinkRig;
const raws: RawLink[] = [];
beforeEach(() => {
  rig = createLinkRig();
});
afterEach(async () => {
  for (const raw of raws.splice(0)) raw.close();
  await rig.close();
});

const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });
const hello = (node: string, role: string, fields: object = {}): string =>
  JSON.stringify([['hello', { nodeId: node, role, version: 1, oldest: 1, ...fields }]]);

/** Opens a stream to `server` by hand, with the certificate of this node. */
async function dialAs(server: GrpcNodeLinks, name: string, role: NodeRole): Promise<RawLink> {
  const credentials = channelCredentials(await rig.security(name, role), {
    name: 'service-1',
    role: 'message-service',
  });
  const raw = openRawLink({ address: server.address, credentials });
  raws.push(raw);
  return raw;
}
function raw(server: GrpcNodeLinks, credentials: ChannelCredentials): RawLink {
  const link = openRawLink({ address: server.address, credentials });
  raws.push(link);
  return link;
}

describe('who dials in', () => {
  let service: GrpcNodeLinks;
  let requests: unknown[];
  beforeEach(async () => {
    requests = [];
    service = await rig.start('service-1.1', 'message-service');
    service.attachService({ request: (request) => void requests.push(request) });
  });
  const say = (link: RawLink, node: string): void =>
    link.say(JSON.stringify([['q', madeSubmit(node, 'c_9', 1)]]));

  it('is heard when his hello says what his certificate says', async () => {
    const gateway = await dialAs(service, 'gateway-1', 'gateway');
    gateway.say(hello('gateway-1.57', 'gateway'));
    say(gateway, 'gateway-1.57');
    await soon(() => expect(requests).toHaveLength(1));
    expect(JSON.parse(gateway.heard[0] ?? '')).toMatchObject([
      ['hello', { nodeId: 'service-1.1', role: 'message-service' }],
    ]);
  });

  it.each([
    [
      'another name',
      hello('gateway-2.57', 'gateway'),
      'says gateway gateway-2, the certificate says gateway gateway-1',
    ],
    [
      'another role',
      hello('gateway-1.57', 'all'),
      'says all gateway-1, the certificate says gateway gateway-1',
    ],
    ['a name without a run', hello('gateway-1', 'gateway'), 'hello.nodeId: must be <name>.<run>'],
    ['a role that there is not', hello('gateway-1.57', 'king'), 'hello.role: must be one of gateway'],
    ['no version', hello('gateway-1.57', 'gateway', { version: 'x' }), 'hello.version and hello.oldest'],
    [
      'a version that is too new',
      hello('gateway-1.57', 'gateway', { version: 9, oldest: 8 }),
      'upgrade one version at a time',
    ],
    [
      'a version that is too old',
      hello('gateway-1.57', 'gateway', { version: 0, oldest: 0 }),
      'upgrade one version at a time',
    ],
    ['a request before the hello', '[["q",{}]]', 'the first message must begin with'],
    ['no JSON', '{', 'the first message must begin with'],
  ])('is refused with %s', async (_what, text, reason) => {
    const gateway = await dialAs(service, 'gateway-1', 'gateway');
    gateway.say(text);
    say(gateway, 'gateway-1.57');
    await soon(() => expect(gateway.ended).toContain(reason));
    expect(gateway.ended).toContain('PERMISSION_DENIED');
    expect(requests).toEqual([]);
  });

  it('may be of a newer version that still speaks ours', async () => {
    const gateway = await dialAs(service, 'gateway-1', 'gateway');
    gateway.say(hello('gateway-1.57', 'gateway', { version: 2, oldest: 1, region: 'moon' }));
    say(gateway, 'gateway-1.57');
    await soon(() => expect(requests).toHaveLength(1));
  });

  it('is let go when he ends his half', async () => {
    const gateway = await dialAs(service, 'gateway-1', 'gateway');
    gateway.say(hello('gateway-1.57', 'gateway'));
    say(gateway, 'gateway-1.57');
    gateway.finish();
    await soon(() => expect(gateway.ended).toBe('end'));
    expect(requests).toHaveLength(1);
  });

  it('does not get in with a certificate of another authority, without one, or in plaintext', async () => {
    const others = createLinkRig();
    try {
      const foreign = await others.security('gateway-1', 'gateway');
      const own = (await rig.security('gateway-1', 'gateway')) as LinkFiles;
      const foreignFiles = foreign as LinkFiles;
      const authority = readFileSync(own.authority);
      const unchecked = { checkServerIdentity: () => undefined };
      const links = [
        raw(
          service,
          ChannelCredentials.createSsl(
            authority,
            readFileSync(foreignFiles.key),
            readFileSync(foreignFiles.certificate),
            unchecked,
          ),
        ),
        raw(service, ChannelCredentials.createSsl(authority, null, null, unchecked)),
        raw(service, ChannelCredentials.createInsecure()),
      ];
      for (const link of links) {
        link.say(hello('gateway-1.57', 'gateway'));
        say(link, 'gateway-1.57');
      }
      for (const link of links) await soon(() => expect(link.ended).toContain('UNAVAILABLE'));
      expect(requests).toEqual([]);
      expect(service.counters.batches.received).toBe(0);
    } finally {
      await others.close();
    }
  });

  it('says only what his role has to say, and only in his own name', async () => {
    const gateway = await dialAs(service, 'gateway-1', 'gateway');
    gateway.say(hello('gateway-1.57', 'gateway'));
    gateway.say(
      JSON.stringify([
        ['p', '', madePush('gateway-1.57', 1)],
        ['h'],
        ['q', madeSubmit('gateway-2.3', 'c_9', 1)],
        ['q', madeSubmit('gateway-1.57/session', 'c_9', 2)],
      ]),
    );
    await soon(() => expect(requests).toHaveLength(1));
    expect(requests).toMatchObject([{ replyTo: { conn: 2 } }]);
    expect(service.counters.dropped.forbidden).toBe(3);
  });

  it('is cut off when he says no hello in time, and when a message is no array', async () => {
    const hasty = await rig.start('service-2.2', 'message-service', { limits: { dialTimeoutMs: 50 } });
    const credentials = channelCredentials(await rig.security('gateway-1', 'gateway'), {
      name: 'service-2',
      role: 'message-service',
    });
    const silent = openRawLink({ address: hasty.address, credentials });
    raws.push(silent);
    await soon(() => expect(silent.ended).toContain('no hello within 50 ms'));
    const gateway = await dialAs(service, 'gateway-1', 'gateway');
    gateway.say(hello('gateway-1.57', 'gateway'));
    gateway.say('{"not":"an array"}');
    await soon(() => expect(gateway.ended).toContain('a message is not a JSON array'));
  });
});

describe('whom we dial', () => {
  const announce = (id: string, role: NodeRole, address: string): void =>
    rig.nodes
      .join()
      .announce({ nodeId: nodeId(id), role, region: 'one', address, version: 'test', startedAt: 1 });

  it.each([
    ['of another name', 'gateway-9.2', 'gateway'],
    ['of another role', 'gateway-1.2', 'http-api'],
    ['of the same name in another run', 'gateway-1.3', 'gateway'],
  ] as const)('gets nothing when a process %s answers there', async (_what, id, role) => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const impostor = await rig.start(id, role);
    const answers: unknown[] = [];
    worker.attachWorker(nodeId('worker-1.1'), { pushed: (...answer) => void answers.push(answer) });
    announce('gateway-1.2', 'gateway', impostor.address);
    worker.push(nodeId('gateway-1.2'), madePush('worker-1.1', 7));
    await soon(() => expect(answers).toEqual([[7, 'unreachable']]));
    expect(impostor.counters.received.push).toBe(0);
    // It may have said hello, and no more.
    expect(impostor.counters.batches.received).toBeLessThanOrEqual(1);
  });

  it('gets not even a hello when its certificate names another node, whatever it says itself', async () => {
    const worker = await rig.start('worker-1.1', 'delivery-worker');
    const liar = await rig.start('gateway-1.2', 'gateway', {
      security: await rig.security('gateway-9', 'gateway'),
    });
    const answers: unknown[] = [];
    worker.attachWorker(nodeId('worker-1.1'), { pushed: (...answer) => void answers.push(answer) });
    worker.push(nodeId('gateway-1.2'), madePush('worker-1.1', 7));
    await soon(() => expect(answers).toEqual([[7, 'unreachable']]));
    expect(liar.counters.batches.received).toBe(0);
  });

  it('takes a renewed certificate without a restart', async () => {
    const service = await rig.start('service-1.1', 'message-service', { limits: { rereadMs: 20 } });
    const before = await serial(service);
    rmSync(((await rig.security('service-1', 'message-service')) as LinkFiles).certificate);
    await rig.security('service-1', 'message-service');
    await soon(async () => expect(await serial(service)).not.toBe(before));
  });

  async function serial(service: GrpcNodeLinks): Promise<string | undefined> {
    let seen: string | undefined;
    const files = (await rig.security('gateway-1', 'gateway')) as LinkFiles;
    const client = new Client(
      service.address,
      ChannelCredentials.createSsl(
        readFileSync(files.authority),
        readFileSync(files.key),
        readFileSync(files.certificate),
        {
          checkServerIdentity(_host, certificate) {
            seen = certificate.serialNumber;
            expect(identityOf(certificate)).toEqual({ name: 'service-1', role: 'message-service' });
            return undefined;
          },
        },
      ),
      { 'grpc.use_local_subchannel_pool': 1, 'grpc.ssl_target_name_override': 'peer' },
    );
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 10_000, (error) => (error ? reject(error) : resolve()));
    });
    client.close();
    return seen;
  }
});
