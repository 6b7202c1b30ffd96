import { constants } from 'node:http2';
import {
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  status,
  type ServerDuplexStream,
} from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { NodeId } from '../../../core/contract/ids.ts';
import type { NodeRole } from '../../ports/node-directory.ts';
import { http2Of } from './http2-of-call.ts';
import type { LinkCounters } from './link-counters.ts';
import { encodeHello, judgeHello, type Hello } from './link-hello.ts';
import { identityOf } from './link-identity.ts';
import type { LinkLimits } from './link-limits.ts';
import { channelOptions, EXCHANGE } from './link-rpc.ts';
import { MutualTlsServer, type LinkSecurity } from './link-security.ts';
import { LinkStream } from './link-stream.ts';

export interface LinkServerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly self: { readonly nodeId: NodeId; readonly role: NodeRole };
  readonly security: LinkSecurity;
  readonly limits: LinkLimits;
  readonly counters: LinkCounters;
  readonly log: Logger;
  /** Both hellos are said. The stream's reader must be set before this returns. */
  readonly up: (stream: LinkStream, hello: Hello) => void;
}

export interface LinkServer {
  readonly port: number;
  /** Takes no new connections; gives those there are `flushMs` to end. */
  close(): Promise<void>;
}

/** @throws Error when the certificate files cannot be used, or the port cannot be had. */
export async function listenForLinks(options: LinkServerOptions): Promise<LinkServer> {
  const { host, security, limits, log } = options;
  // What it would print between our log lines it also tells us.
  setLogVerbosity(logVerbosity.NONE);
  const server = new Server(channelOptions(limits));
  server.addService(
    { exchange: EXCHANGE },
    { exchange: (call: ServerDuplexStream<Buffer, Buffer>) => greet(call, options) },
  );
  let credentials = ServerCredentials.createInsecure();
  let reread: NodeJS.Timeout | undefined;
  if (security.kind === 'mutual-tls') {
    const tls = new MutualTlsServer(security, limits.windowBytes);
    credentials = tls;
    reread = setInterval(() => {
      try {
        tls.reread();
      } catch (error) {
        log.error({ err: error }, 'the certificate of the links cannot be read again; the old one stays');
      }
    }, limits.rereadMs).unref();
  }
  const wanted = `${host.includes(':') ? `[${host}]` : host}:${options.port}`;
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(wanted, credentials, (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(`links cannot listen on ${wanted}: ${error.message}`));
    });
  });
  return {
    port,
    close: () => {
      clearInterval(reread);
      return new Promise((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), limits.flushMs);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
    },
  };
}

/** Reads the peer's hello, checks it against its certificate, answers with ours. */
function greet(call: ServerDuplexStream<Buffer, Buffer>, options: LinkServerOptions): void {
  const { self, security, limits, counters, log, up } = options;
  const proven = identityOf(call.getAuthContext().sslPeerCertificate);
  const refuse = (reason: keyof LinkCounters['refused'], details: string): void => {
    counters.refused[reason]++;
    log.warn({ peer: call.getPeer(), reason, details }, 'a link was refused');
    call.emit('error', { code: status.PERMISSION_DENIED, details });
  };
  if (security.kind === 'mutual-tls' && proven === undefined) {
    refuse(
      'certificate',
      'the certificate names no node of Parley: it needs one URI spiffe://parley/<role>/<name>',
    );
    return;
  }
  const http2 = http2Of(call);
  http2?.session?.setLocalWindowSize(limits.windowBytes);
  const carrier = {
    abort(details: string): void {
      call.emit('error', { code: status.UNAVAILABLE, details });
      // The reason waits behind what the peer does not take.
      setTimeout(() => http2?.close(constants.NGHTTP2_CANCEL), limits.flushMs).unref();
    },
    release: () => undefined,
  };
  const stream = new LinkStream(call, carrier, counters, {
    message(text) {
      clearTimeout(timer);
      const verdict = judgeHello(text, proven);
      if (!verdict.ok) {
        refuse(verdict.reason, verdict.message);
        return;
      }
      stream.write(encodeHello(self), () => undefined);
      up(stream, verdict.hello);
    },
    broken: () => clearTimeout(timer),
  });
  const timer = setTimeout(() => {
    refuse('hello', `no hello within ${limits.dialTimeoutMs} ms`);
  }, limits.dialTimeoutMs).unref();
}
