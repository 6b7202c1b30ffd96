import type { ServerHttp2Stream } from 'node:http2';
import type { ServerDuplexStream } from '@grpc/grpc-js';

/**
 * The HTTP/2 stream below a call of the server. The library offers two things to its client only that both sides need: a
 * window for the connection wider than 64 KiB (which at 100 ms round trip would be all that one link carries ten times a
 * second), and resetting a stream whose peer takes nothing. So we reach into it, and do without where it looks different.
 */
export function http2Of(call: ServerDuplexStream<Buffer, Buffer>): ServerHttp2Stream | undefined {
  const inner: unknown = (call as unknown as { readonly call?: { readonly stream?: unknown } }).call?.stream;
  const stream = inner as Partial<ServerHttp2Stream> | undefined;
  return typeof stream?.close === 'function' && typeof stream.session?.setLocalWindowSize === 'function'
    ? (stream as ServerHttp2Stream)
    : undefined;
}
