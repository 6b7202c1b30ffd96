import { createWriteStream, mkdirSync, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Logger } from 'pino';
import type { Micros } from '../../core/contract/time.ts';

/**
 * What one machine was told, and a digest of what it answered, so that an incident can be run through the core again
 * (`parley sim replay FOLDER`). A file a machine, one JSON value a line:
 *
 *     {"parley":1,"machine":"gateway","options":{…}}      how the machine was made
 *     {"n":256,"steps":[[now,event],…],"effects":CRC,"sizes":[…]}
 *
 * `effects` is the CRC-32 of the effects of all steps of the line, each as JSON followed by a line feed, and `sizes` how long each of
 * them is, which finds the step that differs. Events hold ciphertext and ids: a recording is as secret as the database.
 */
export interface MachineRecorder {
  /** Called before the step, since a machine may keep and change what the event brought. */
  before(event: unknown, now: Micros): void;
  after(effects: readonly unknown[]): void;
}

/** The recordings of one process. */
export interface Recording {
  /** @param options what the machine was created with: plain data. */
  machine(kind: RecordedMachine, options: object): MachineRecorder;
  /** Writes what is gathered and closes the files. */
  close(): Promise<void>;
}

export type RecordedMachine = 'gateway' | 'message-service' | 'outbox-relay' | 'delivery-worker';

/** Steps of a line, at most. */
const BATCH = 256;
/** A line is written after this long, however few its steps, so that a kill loses little. Milliseconds. */
const FLUSH_MS = 100;

export interface RecordingOptions {
  /** Made when it is missing. */
  readonly folder: string;
  /** Name of the process: part of the file names. */
  readonly node: string;
  /** A machine's file does not grow beyond this; what follows is not recorded, and the log says so. Bytes. */
  readonly maxBytes: number;
  readonly log: Logger;
}

/** @throws Error when the folder cannot be made. */
export function startRecording(options: RecordingOptions): Recording {
  mkdirSync(options.folder, { recursive: true });
  const files: RecordingFile[] = [];
  return {
    machine(kind, machineOptions) {
      const name = `${kind}.${options.node}.${files.length}.ndjson`.replaceAll('/', '_');
      const file = new RecordingFile(join(options.folder, name), options);
      file.head(kind, machineOptions);
      files.push(file);
      return file;
    },
    async close() {
      await Promise.all(files.map((file) => file.close()));
    },
  };
}

class RecordingFile implements MachineRecorder {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #log: Logger;
  readonly #stream: WriteStream;
  readonly #timer: NodeJS.Timeout;
  #steps: string[] = [];
  #sizes: number[] = [];
  #effects = 0;
  #written = 0;
  #open = true;

  constructor(path: string, { maxBytes, log }: RecordingOptions) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#log = log;
    this.#stream = createWriteStream(path, { highWaterMark: 1 << 20 });
    this.#stream.on('error', (error) => this.#stop(error.message));
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
    this.#timer.unref();
  }

  head(machine: RecordedMachine, options: object): void {
    this.#write(JSON.stringify({ parley: 1, machine, options }));
  }

  before(event: unknown, now: Micros): void {
    if (this.#open) this.#steps.push(`[${now},${JSON.stringify(event)}]`);
  }

  after(effects: readonly unknown[]): void {
    if (!this.#open) return;
    const text = effects.length === 0 ? '[]' : JSON.stringify(effects);
    this.#effects = crc32(`${text}\n`, this.#effects);
    this.#sizes.push(text.length);
    if (this.#sizes.length >= BATCH) this.#flush();
  }

  #flush(): void {
    // A step under way has no size yet: its line is the next one.
    const count = this.#sizes.length;
    if (!this.#open || count === 0) return;
    const steps = this.#steps.slice(0, count).join(',');
    this.#write(
      `{"n":${count},"steps":[${steps}],"effects":${this.#effects},"sizes":[${this.#sizes.join(',')}]}`,
    );
    this.#steps = this.#steps.slice(count);
    this.#sizes = [];
    this.#effects = 0;
  }

  #write(line: string): void {
    this.#written += line.length + 1;
    this.#stream.write(`${line}\n`);
    if (this.#written > this.#maxBytes) this.#stop(`it has reached ${this.#maxBytes} bytes`);
  }

  /** Recording is for people; delivery goes on without it. */
  #stop(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.#steps = [];
    this.#sizes = [];
    clearInterval(this.#timer);
    this.#stream.end();
    this.#log.warn({ file: this.#path, reason }, 'recording stopped');
  }

  close(): Promise<void> {
    this.#flush();
    this.#open = false;
    clearInterval(this.#timer);
    return new Promise((resolve) => {
      if (this.#stream.closed) resolve();
      else this.#stream.end(() => resolve());
    });
  }
}
