import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { Logger } from 'pino';
import type { Metrics } from '../../observability/metrics.ts';
import { fullJitter } from '../../resilience/full-jitter.ts';
import { DEAD_TOPIC, type KafkaTuning } from './kafka-options.ts';
import type { Publisher } from './publisher.ts';
import type { OutgoingRecord, Poison } from './record-codec.ts';

/** Where a record that nobody can read came from. */
export interface DeadLetterSource {
  readonly region: string;
  readonly topic: string;
  readonly partition: number;
}

/** Carries records that nobody can read to the dead-letter topic of this region, as often as it takes. */
export interface DeadLetters {
  /** @param safe called once the record is durable there. */
  write(source: DeadLetterSource, record: KafkaMessage, poison: Poison, safe: () => void): void;
  /** Settles when fewer wait than the limit: a topic full of poison must not fill the memory. */
  room(): Promise<void>;
  close(): void;
}

const LOG_EVERY_MS = 1_000;

export function createDeadLetters(options: {
  readonly publisher: Publisher;
  readonly tuning: KafkaTuning;
  readonly metrics: Metrics;
  readonly log: Logger;
}): DeadLetters {
  const { publisher, tuning, metrics, log } = options;
  const timers = new Set<NodeJS.Timeout>();
  let waiting = 0;
  let loggedMs = Number.NEGATIVE_INFINITY;
  let roomWanted: (() => void)[] = [];
  let closed = false;

  function attempt(record: OutgoingRecord, safe: () => void, failures: number): void {
    publisher.publish([record], (outcome) => {
      if (outcome === 'ok') settle(safe);
      else if (!closed) later(() => attempt(record, safe, failures + 1), failures + 1);
    });
  }

  /** One line a second at most: a topic full of poison must not fill the log either. The metric counts all of it. */
  function tell(fields: object): void {
    const now = performance.now();
    if (now - loggedMs < LOG_EVERY_MS) return;
    loggedMs = now;
    log.error(fields, 'a record is unreadable and goes to the dead letters');
  }

  function settle(safe: () => void): void {
    waiting--;
    if (waiting < tuning.deadLetters) letGo();
    safe();
  }

  function later(action: () => void, failures: number): void {
    const timer = setTimeout(
      () => {
        timers.delete(timer);
        action();
      },
      fullJitter(failures - 1, tuning.rebuildBaseMs, tuning.rebuildMaxMs),
    );
    timers.add(timer);
  }

  function letGo(): void {
    const wanted = roomWanted;
    roomWanted = [];
    for (const resolve of wanted) resolve();
  }

  return {
    write(source, record, poison, safe) {
      waiting++;
      metrics.queueDeadLetters.inc({ reason: poison.reason });
      tell({ ...source, offset: record.offset, reason: poison.reason, detail: poison.detail });
      attempt(deadLetter(source, record, poison, tuning.batchBytes), safe, 0);
    },
    room() {
      if (waiting < tuning.deadLetters || closed) return Promise.resolve();
      return new Promise((resolve) => roomWanted.push(resolve));
    },
    close() {
      closed = true;
      for (const timer of timers) clearTimeout(timer);
      letGo();
    },
  };
}

/** Of a key that is no user id, this much is kept. */
const KEY_CHARACTERS = 256;

/**
 * The record as it was, its headers too; ours tell why and from where. A record that just fitted into its own topic may not
 * fit with ours any more, and the commits of its partition wait for it: what is too much is cut off, and a header says how
 * much there was.
 */
function deadLetter(
  source: DeadLetterSource,
  record: KafkaMessage,
  poison: Poison,
  mostBytes: number,
): OutgoingRecord {
  const key = record.key?.toString() ?? '';
  const value = record.value ?? Buffer.alloc(0);
  const ours: IHeaders = {
    'dead-reason': poison.reason,
    'dead-detail': poison.detail,
    'dead-region': source.region,
    'dead-topic': source.topic,
    'dead-partition': String(source.partition),
    'dead-offset': record.offset,
  };
  const whole = { key, value, headers: { ...record.headers, ...ours } };
  const theirs = headerBytes(record.headers);
  if (key.length <= KEY_CHARACTERS && value.length + theirs <= mostBytes)
    return { topic: DEAD_TOPIC, message: whole };
  // Headers go as a whole or not at all: half of them would say something else.
  const keepsHeaders = theirs <= mostBytes / 2;
  const cut: IHeaders = {
    'dead-key-characters': String(key.length),
    'dead-value-bytes': String(value.length),
    'dead-header-bytes': String(theirs),
  };
  const headers = { ...(keepsHeaders ? record.headers : {}), ...ours, ...cut };
  const kept = value.subarray(0, mostBytes - (keepsHeaders ? theirs : 0));
  return { topic: DEAD_TOPIC, message: { key: key.slice(0, KEY_CHARACTERS), value: kept, headers } };
}

function headerBytes(headers: IHeaders | undefined): number {
  let bytes = 0;
  for (const [name, values] of Object.entries(headers ?? {}))
    for (const value of [values].flat()) bytes += Buffer.byteLength(name) + Buffer.byteLength(value ?? '');
  return bytes;
}
