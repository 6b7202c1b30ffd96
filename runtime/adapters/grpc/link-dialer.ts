import { Client } from '@grpc/grpc-js';
import type { NodeId } from '../../../core/contract/ids.ts';
import type { NodeRecord } from '../../ports/node-directory.ts';
import { nameOf } from '../../ports/process-id.ts';
import type { LinkCounters } from './link-counters.ts';
import { encodeHello, judgeHello, type Hello } from './link-hello.ts';
import type { LinkLimits } from './link-limits.ts';
import { channelOptions, EXCHANGE } from './link-rpc.ts';
import { channelCredentials, type LinkSecurity } from './link-security.ts';
import { LinkStream } from './link-stream.ts';

export interface DialOptions {
  readonly to: NodeRecord;
  readonly self: { readonly nodeId: NodeId; readonly role: NodeRecord['role'] };
  readonly security: LinkSecurity;
  readonly limits: LinkLimits;
  readonly counters: LinkCounters;
  /** Both hellos are said. The stream's reader must be set before this returns. */
  readonly up: (stream: LinkStream, hello: Hello) => void;
  readonly failed: (reason: string) => void;
}

/** Opens a stream to another process, with a connection of its own. Exactly one of `up` and `failed` is called, later. */
export function dialLink(options: DialOptions): void {
  const { to, self, security, limits, counters, up, failed } = options;
  const expected = { name: nameOf(to.nodeId), role: to.role };
  let client: Client;
  try {
    client = new Client(to.address, channelCredentials(security, expected), {
      ...channelOptions(limits),
      'grpc.ssl_target_name_override': expected.name,
      'grpc.default_authority': expected.name,
    });
  } catch (error) {
    process.nextTick(failed, (error as Error).message);
    return;
  }
  const { path, requestSerialize, responseDeserialize } = EXCHANGE;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const carrier = { abort: () => call.cancel(), release: () => client.close() };
  let waiting = true;
  const fail = (reason: string): void => {
    if (!waiting) return;
    waiting = false;
    clearTimeout(timer);
    failed(reason);
  };
  const stream = new LinkStream(call, carrier, counters, {
    message(text) {
      const verdict = judgeHello(text, security.kind === 'mutual-tls' ? expected : undefined);
      if (verdict.ok && verdict.hello.nodeId === to.nodeId) {
        waiting = false;
        clearTimeout(timer);
        up(stream, verdict.hello);
        return;
      }
      counters.refused[verdict.ok ? 'hello' : verdict.reason]++;
      fail(verdict.ok ? `${verdict.hello.nodeId} answers at ${to.address}` : verdict.message);
      stream.breakOff('its hello was refused');
    },
    broken: fail,
  });
  const timer = setTimeout(() => {
    stream.breakOff(`no hello within ${limits.dialTimeoutMs} ms`);
  }, limits.dialTimeoutMs).unref();
  stream.write(encodeHello(self), () => undefined);
}
