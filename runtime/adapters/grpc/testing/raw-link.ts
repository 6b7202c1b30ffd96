import { Client, type ChannelCredentials } from '@grpc/grpc-js';
import { EXCHANGE } from '../link-rpc.ts';

/** A peer written by hand: says exactly these texts, and tells what it hears. For tests. */
export interface RawLink {
  readonly heard: string[];
  /** Why the other side ended it; undefined while it has not. */
  ended: string | undefined;
  say(text: string): void;
  /** Ends this half and waits for the other. */
  finish(): void;
  close(): void;
}

export interface RawLinkOptions {
  readonly address: string;
  readonly credentials: ChannelCredentials;
  /** A peer that reads the hello and nothing more, on a connection that is well. */
  readonly deaf?: boolean;
}

export function openRawLink({ address, credentials, deaf = false }: RawLinkOptions): RawLink {
  const client = new Client(address, credentials, {
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': 'peer',
  });
  const { path, requestSerialize, responseDeserialize } = EXCHANGE;
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
  const link: RawLink = {
    heard: [],
    ended: undefined,
    say: (text) => void call.write(Buffer.from(text, 'utf8')),
    finish: () => void call.end(),
    close() {
      call.cancel();
      client.close();
    },
  };
  call.on('data', (bytes: Buffer) => {
    link.heard.push(bytes.toString('utf8'));
    if (deaf) call.pause();
  });
  call.on('error', (error: Error) => (link.ended ??= error.message));
  call.on('end', () => (link.ended ??= 'end'));
  return link;
}
