import type { Logger } from 'pino';
import type { PublishOutcome } from '../../ports/delivery-queue.ts';
import type { Done } from '../../ports/message-store.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import type { KafkaRegion, KafkaTuning } from './kafka-options.ts';
import { openProducerSession, type ProducerSession } from './producer-session.ts';
import type { OutgoingRecord } from './record-codec.ts';

/** Publishes records durably: gathers what comes while a request is under way, and sends it as the next one. */
export interface Publisher {
  /**
   * Order within the call is kept. Refused (`failed`) when it is too much beside what waits, and while a producer that failed
   * is not yet due again. When nothing waits a call is taken whatever its size: later it would not fit any better.
   */
  publish(records: readonly OutgoingRecord[], done: Done<PublishOutcome>): void;
  /** Nobody waits for these; dropped when busy. */
  publishTransient(records: readonly OutgoingRecord[]): void;
  /** Records that wait or are under way. */
  readonly waiting: number;
  /** Sends what waits and lets go of the producer; nothing is accepted afterwards. */
  close(): Promise<void>;
}

interface Call {
  readonly records: readonly OutgoingRecord[];
  readonly done: Done<PublishOutcome> | undefined;
  /** Memory that its records hold. */
  readonly bytes: number;
  /** Records that were taken into requests. */
  taken: number;
  /** Records that are acknowledged. */
  acknowledged: number;
}

export interface PublisherOptions {
  readonly region: KafkaRegion;
  readonly clientId: string;
  readonly tuning: KafkaTuning;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function createPublisher(options: PublisherOptions): Publisher {
  const { region, tuning, metrics, log } = options;
  /** *Invariant:* in order of arrival; every call but the first has `taken` 0 while no request is under way. */
  let calls: Call[] = [];
  let waitingRecords = 0;
  let waitingBytes = 0;
  let session: ProducerSession | undefined;
  let running: Promise<void> | undefined;
  let failures = 0;
  let openAgainAt = 0;
  let closed = false;

  function accept(records: readonly OutgoingRecord[], done: Done<PublishOutcome> | undefined): boolean {
    if (closed || performance.now() < openAgainAt) return false;
    const bytes = heldBy(records);
    if (waitingRecords > 0 && waitingRecords + records.length > tuning.waitingRecords) return false;
    if (waitingRecords > 0 && waitingBytes + bytes > tuning.waitingBytes) return false;
    waitingRecords += records.length;
    waitingBytes += bytes;
    calls.push({ records, done, bytes, taken: 0, acknowledged: 0 });
    running ??= run();
    return true;
  }

  async function run(): Promise<void> {
    // One turn of the event loop: what this turn still publishes goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (calls.length > 0) await sendNext();
    running = undefined;
  }

  async function sendNext(): Promise<void> {
    session ??= await open();
    if (session === undefined) return;
    const batch = takeBatch(calls, tuning);
    const startedMs = performance.now();
    const { outcome, error } = await session.send(batch);
    metrics.queuePublishSeconds.observe((performance.now() - startedMs) / 1_000);
    metrics.queuePublished.inc({ outcome }, batch.length);
    if (outcome === 'ok') acknowledge(batch.length);
    else giveUp(outcome, error);
  }

  async function open(): Promise<ProducerSession | undefined> {
    try {
      const opened = await openProducerSession(region, options);
      failures = 0;
      return opened;
    } catch (error) {
      giveUp('failed', error as Error);
      return undefined;
    }
  }

  /** The batch that was taken last is durable. */
  function acknowledge(records: number): void {
    failures = 0;
    let left = records;
    while (left > 0) {
      const call = calls[0] as Call;
      const here = Math.min(left, call.records.length - call.acknowledged);
      call.acknowledged += here;
      left -= here;
      if (call.acknowledged < call.records.length) return;
      calls.shift();
      finish(call, 'ok');
    }
  }

  /** The producer is of no use any more. Whoever waits hears so now, and comes again when a new one may be there. */
  function giveUp(outcome: PublishOutcome, error: Error | undefined): void {
    session?.cut();
    session = undefined;
    failures++;
    openAgainAt = performance.now() + fullJitter(failures - 1, tuning.rebuildBaseMs, tuning.rebuildMaxMs);
    metrics.queueRebuilds.inc({ part: 'producer' });
    log.warn({ region: region.region, err: error, failures }, 'the producer failed and is built anew');
    const refused = calls;
    calls = [];
    for (const call of refused) {
      // What was acknowledged before is there: not all of the call, not none of it.
      const isPart = call.acknowledged > 0 || (outcome === 'unknown' && call.taken > 0);
      finish(call, isPart ? 'unknown' : 'failed');
    }
  }

  function finish(call: Call, outcome: PublishOutcome): void {
    waitingRecords -= call.records.length;
    waitingBytes -= call.bytes;
    call.done?.(outcome);
  }

  return {
    publish(records, done) {
      if (records.length === 0) queueMicrotask(() => done('ok'));
      else if (!accept(records, done)) {
        metrics.queuePublished.inc({ outcome: 'refused' }, records.length);
        queueMicrotask(() => done('failed'));
      }
    },
    publishTransient(records) {
      if (waitingRecords > tuning.busyRecords || !accept(records, undefined))
        metrics.queuePublished.inc({ outcome: 'dropped' }, records.length);
    },
    get waiting() {
      return waitingRecords;
    },
    async close() {
      closed = true;
      await running;
      await session?.close();
      session = undefined;
    },
  };
}

/** Roughly what a record costs besides its value, on the wire and in memory. */
const RECORD_BYTES = 64;

const sizeOf = (record: OutgoingRecord): number => record.message.value.length + RECORD_BYTES;

/** Memory, not bytes on the wire: neighbours share the bytes of one item, which a group's message has once for all of them. */
function heldBy(records: readonly OutgoingRecord[]): number {
  let bytes = records.length * RECORD_BYTES;
  let last: Buffer | undefined;
  for (const { message } of records) {
    if (message.value !== last) bytes += message.value.length;
    last = message.value;
  }
  return bytes;
}

/** Takes the next records of the calls, in order, as many as one request may hold; at least one. */
function takeBatch(
  calls: readonly Call[],
  { batchRecords, batchBytes }: { readonly batchRecords: number; readonly batchBytes: number },
): readonly OutgoingRecord[] {
  const batch: OutgoingRecord[] = [];
  let bytes = 0;
  for (const call of calls) {
    while (call.taken < call.records.length) {
      const record = call.records[call.taken] as OutgoingRecord;
      bytes += sizeOf(record);
      if (batch.length > 0 && (bytes > batchBytes || batch.length === batchRecords)) return batch;
      batch.push(record);
      call.taken++;
    }
  }
  return batch;
}
