import { connect } from 'node:http2';

const WAIT_MS = 2_000;

/**
 * Asks a server for its health by gRPC (grpc.health.v1.Health/Check): one message of one field, so no library is needed.
 * @param service as the server names it.
 * @returns whether it says SERVING. Never rejects.
 */
export function grpcServing(address: string, service: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const end = (serving: boolean): void => {
      clearTimeout(timer);
      session.destroy();
      resolve(serving);
    };
    const timer = setTimeout(() => end(false), WAIT_MS);
    session.once('error', () => end(false));
    const stream = session.request({
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('error', () => end(false));
    stream.once('close', () => end(Buffer.concat(chunks).equals(SERVING)));
    stream.end(framed(Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service, 'ascii')])));
  });
}

/** A gRPC message: not compressed, its length, itself. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** HealthCheckResponse { status: SERVING = 1 }. */
const SERVING = framed(Buffer.from([0x08, 0x01]));
