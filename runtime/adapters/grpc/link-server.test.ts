import { readFileSync } from 'node:fs';
import { connect, type ClientHttp2Session } from 'node:http2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_LINK_LIMITS } from './link-limits.ts';
import { EXCHANGE } from './link-rpc.ts';
import type { LinkFiles } from './link-security.ts';
import { createLinkRig, type LinkRig } from './testing/link-rig.ts';

let rig: LinkRig;
let session: ClientHttp2Session | undefined;
beforeEach(() => {
  rig = createLinkRig();
});
afterEach(async () => {
  session?.destroy();
  await rig.close();
});

const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 10_000, interval: 5 });

describe('the server of links', () => {
  it('lets a peer far away fill the line: stream and connection have wide windows', async () => {
    const service = await rig.start('service-1.1', 'message-service');
    const files = (await rig.security('gateway-1', 'gateway')) as LinkFiles;
    const opened = connect(`https://${service.listening}`, {
      ca: readFileSync(files.authority),
      cert: readFileSync(files.certificate),
      key: readFileSync(files.key),
      checkServerIdentity: () => undefined,
      servername: 'service-1',
    });
    session = opened;
    const stream = opened.request({
      ':method': 'POST',
      ':path': EXCHANGE.path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => undefined);
    await soon(() => {
      expect(opened.remoteSettings.initialWindowSize).toBe(DEFAULT_LINK_LIMITS.windowBytes);
      expect(opened.state.remoteWindowSize).toBeGreaterThanOrEqual(DEFAULT_LINK_LIMITS.windowBytes);
    });
  });

  it('says which address it cannot have', async () => {
    const first = await rig.start('service-1.1', 'message-service');
    const port = Number(first.listening.split(':')[1]);
    await expect(rig.start('service-2.2', 'message-service', { port })).rejects.toThrow(
      `links cannot listen on 127.0.0.1:${port}`,
    );
  });

  it('does not start with a certificate that is not there, or a key of another certificate', async () => {
    const files = (await rig.security('service-1', 'message-service')) as LinkFiles;
    const other = (await rig.security('service-2', 'message-service')) as LinkFiles;
    const start = (security: LinkFiles) =>
      rig.start('service-1.1', 'message-service', { security: { kind: 'mutual-tls', ...security } });
    await expect(start({ ...files, certificate: '/nowhere.crt' })).rejects.toThrow('/nowhere.crt');
    await expect(start({ ...files, key: other.key })).rejects.toThrow('key values mismatch');
  });
});
