import { crc32 } from 'node:zlib';
import type { Micros } from '../../core/contract/time.ts';
import { createDeliveryWorker, stepDeliveryWorker } from '../../core/delivery/delivery-worker.ts';
import { createRelay, stepRelay } from '../../core/fan-out/relay.ts';
import { createMessageService, stepMessageService } from '../../core/sequencing/message-service.ts';
import { createGateway, stepGateway } from '../../core/session/gateway.ts';
import {
  type RecordedSteps,
  RecordingFileError,
  readRecordedSteps,
  readRecordingHead,
} from './recording-file.ts';

type Step = (event: never, now: Micros) => readonly unknown[];

/** How to make each recorded machine anew. */
const MACHINES: Readonly<Record<string, (options: never) => Step>> = {
  gateway: (options) => {
    const state = createGateway(options);
    return (event, now) => stepGateway(state, event, now);
  },
  'message-service': (options) => {
    const state = createMessageService(options);
    return (event, now) => stepMessageService(state, event, now);
  },
  'outbox-relay': (options) => {
    const state = createRelay(options);
    return (event, now) => stepRelay(state, event, now);
  },
  'delivery-worker': (options) => {
    const state = createDeliveryWorker(options);
    return (event, now) => stepDeliveryWorker(state, event, now);
  },
};

export interface ReplayedRecording {
  readonly machine: string;
  readonly steps: number;
  /** Of the first step and of the last, on the clock of the process that recorded. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly difference: RecordingDifference | undefined;
}

/** The core answered otherwise than it did then: its code is another, or it depends on something besides its input. */
export interface RecordingDifference {
  /** From 1. */
  readonly step: number;
  /** Else all that is known is that it is one of the steps of a line: this is the first of them. */
  readonly exact: boolean;
  readonly at: number;
  readonly event: unknown;
  readonly effects: readonly unknown[];
  readonly recordedSize: number;
}

/**
 * Runs what one machine was told through the core again and compares its effects with those of then, byte for byte.
 * Stops at the first difference. @throws RecordingFileError
 */
export function replayRecording(path: string): ReplayedRecording {
  const { machine, options } = readRecordingHead(path);
  const make = MACHINES[machine];
  if (make === undefined) {
    throw new RecordingFileError(`${path}: this version knows no machine ${JSON.stringify(machine)}`);
  }
  const step = make(options as never);
  let steps = 0;
  let first: number | undefined;
  let last = 0;
  for (const recorded of readRecordedSteps(path)) {
    first ??= recorded.steps[0]?.[0];
    last = recorded.steps.at(-1)?.[0] ?? last;
    const difference = takeSteps(step, recorded, steps);
    steps += recorded.steps.length;
    if (difference === undefined) continue;
    return { machine, steps, firstAt: first ?? last, lastAt: last, difference };
  }
  return { machine, steps, firstAt: first ?? last, lastAt: last, difference: undefined };
}

/**
 * @returns microseconds from the first step of any machine to the last: they ran at the same time, so that their times do not
 * add up. A machine that was told nothing says nothing about the time.
 */
export function recordedSpan(recordings: readonly ReplayedRecording[]): number {
  const told = recordings.filter(({ steps }) => steps > 0);
  if (told.length === 0) return 0;
  return Math.max(...told.map(({ lastAt }) => lastAt)) - Math.min(...told.map(({ firstAt }) => firstAt));
}

function takeSteps(step: Step, recorded: RecordedSteps, before: number): RecordingDifference | undefined {
  let checksum = 0;
  let firstEffects: readonly unknown[] = [];
  for (const [i, [now, event]] of recorded.steps.entries()) {
    const effects = step(event as never, now as Micros);
    if (i === 0) firstEffects = effects;
    const text = effects.length === 0 ? '[]' : JSON.stringify(effects);
    const recordedSize = recorded.sizes[i] as number;
    if (text.length !== recordedSize) {
      return { step: before + i + 1, exact: true, at: now, event, effects, recordedSize };
    }
    checksum = crc32(`${text}\n`, checksum);
  }
  if (checksum === recorded.effects) return undefined;
  const [at, event] = recorded.steps[0] as RecordedSteps['steps'][number];
  const recordedSize = recorded.sizes[0] as number;
  return { step: before + 1, exact: false, at, event, effects: firstEffects, recordedSize };
}
