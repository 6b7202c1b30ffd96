import type { ClientDuplexStream, ServerDuplexStream } from '@grpc/grpc-js';
import type { LinkCounters } from './link-counters.ts';

type GrpcStream = ClientDuplexStream<Buffer, Buffer> | ServerDuplexStream<Buffer, Buffer>;

/** Reads what comes; `broken` is called once, after which nothing else is. */
export interface StreamReader {
  message(text: string): void;
  broken(reason: string): void;
}

/** One gRPC stream of either side: texts in and out, and one end. */
export class LinkStream {
  readonly #stream: GrpcStream;
  readonly #abort: (reason: string) => void;
  readonly #release: () => void;
  readonly #counters: LinkCounters;
  #reader: StreamReader;
  #broken = false;
  /** Messages that HTTP/2 has not taken yet. */
  #writing = 0;
  /** Ticks since HTTP/2 took one, while any waits. */
  #waitingTicks = 0;

  /**
   * @param carrier `abort` tells the other side at once; `release` lets go of the connection once the stream has ended, in
   * whatever way.
   */
  constructor(
    stream: GrpcStream,
    carrier: { readonly abort: (reason: string) => void; readonly release: () => void },
    counters: LinkCounters,
    reader: StreamReader,
  ) {
    this.#stream = stream;
    this.#abort = carrier.abort;
    this.#release = carrier.release;
    this.#counters = counters;
    this.#reader = reader;
    stream.on('data', (bytes: Buffer) => this.#read(bytes));
    stream.on('error', (error: Error) => this.#end(error.message));
    stream.on('cancelled', () => this.#end('the peer broke it off'));
    stream.on('end', () => this.#end('the peer ended it'));
    stream.on('close', () => this.#end('closed'));
  }

  get writing(): number {
    return this.#writing;
  }
  get isBroken(): boolean {
    return this.#broken;
  }

  /** Whoever has seen the hello hands the stream on. */
  handTo(reader: StreamReader): void {
    this.#reader = reader;
  }

  /** @param taken called when HTTP/2 has taken it; not when the stream breaks before. */
  write(text: string, taken: () => void): void {
    if (this.#broken) return;
    const bytes = Buffer.from(text, 'utf8');
    this.#writing++;
    this.#counters.batches.sent++;
    this.#counters.bytes.sent += bytes.length;
    this.#stream.write(bytes, () => {
      this.#writing--;
      this.#waitingTicks = 0;
      if (!this.#broken) taken();
    });
  }

  /** Counts one tick. @returns for how many ticks in a row nothing of what waits has been taken. */
  tick(): number {
    this.#waitingTicks = this.#writing > 0 ? this.#waitingTicks + 1 : 0;
    return this.#waitingTicks;
  }

  /** Ends our half; the other side ends its own. */
  finish(): void {
    if (!this.#broken) this.#stream.end();
  }

  /** Breaks it off at once, for both sides. */
  breakOff(reason: string): void {
    if (this.#broken) return;
    this.#abort(reason);
    this.#end(reason);
  }

  #read(bytes: Buffer): void {
    if (this.#broken) return;
    this.#counters.batches.received++;
    this.#counters.bytes.received += bytes.length;
    this.#reader.message(bytes.toString('utf8'));
  }

  #end(reason: string): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#stream.end();
    this.#release();
    this.#reader.broken(reason);
  }
}
