import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { number } from '../trace/render-failure.ts';
import { EXIT, type ExitCode } from './exit-code.ts';
import { recordingPaths } from './recording-file.ts';
import {
  recordedSpan,
  type RecordingDifference,
  type ReplayedRecording,
  replayRecording,
} from './replay-recording.ts';

/** A folder, or a file of one: scenarios end otherwise. */
export function isRecording(path: string): boolean {
  return existsSync(path) && (statSync(path).isDirectory() || path.endsWith('.ndjson'));
}

interface Timed extends ReplayedRecording {
  readonly file: string;
  readonly seconds: number;
}

/** Replays every recording of a folder. @throws RecordingFileError */
export function replayRecordings(path: string, json: boolean): ExitCode {
  const results: Timed[] = [];
  for (const file of recordingPaths(path)) {
    const begin = performance.now();
    const result = { ...replayRecording(file), file, seconds: (performance.now() - begin) / 1_000 };
    results.push(result);
    if (!json) for (const text of resultLines(result)) console.log(text);
  }
  const same = results.every(({ difference }) => difference === undefined);
  console.log(json ? JSON.stringify({ same, recordings: results }) : summary(results, same));
  return same ? EXIT.ok : EXIT.nondeterminism;
}

function resultLines({ file, steps, firstAt, lastAt, seconds, difference }: Timed): string[] {
  const mark = difference === undefined ? '✓' : '✗';
  const recorded = (lastAt - firstAt) / 1e6;
  const times = `${(recorded / seconds).toFixed(0)} times real time`;
  const took = `${number(steps)} steps of ${recorded.toFixed(1)} s in ${seconds.toFixed(2)} s: ${times}`;
  return [
    `${mark} ${basename(file)}: ${took}`,
    ...(difference === undefined ? [] : differenceLines(difference)),
  ];
}

function summary(results: readonly Timed[], same: boolean): string {
  if (!same) {
    return '✗ a machine answered otherwise than recorded. Next: run the version that recorded, or read the step above';
  }
  const sum = (of: (result: Timed) => number): number => results.reduce((total, each) => total + of(each), 0);
  const steps = sum((each) => each.steps);
  const seconds = sum((each) => each.seconds);
  const recorded = recordedSpan(results) / 1e6;
  const rate = `${number(Math.round(steps / seconds))} steps/s, ${(recorded / seconds).toFixed(0)} times real time`;
  const what = `${number(steps)} steps of ${results.length} ${results.length === 1 ? 'machine' : 'machines'} in ${recorded.toFixed(1)} s`;
  return `✓ ${what} gave the same effects; ${rate}`;
}

function differenceLines(difference: RecordingDifference): string[] {
  const { step, exact, at, event, effects, recordedSize } = difference;
  const where = exact ? `step ${number(step)}` : `one of the steps from ${number(step)} on, within a line`;
  return [
    `  differs   ${where}, at ${new Date(at / 1_000).toISOString()}`,
    `  event     ${shortened(JSON.stringify(event))}`,
    `  effects   ${shortened(JSON.stringify(effects))}`,
    `  recorded  ${number(recordedSize)} characters of effects`,
  ];
}

const SHOWN = 400;

function shortened(text: string): string {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${number(text.length)} characters)`;
}
