import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a recording: some steps in a row of one machine (runtime/recording/machine-recorder.ts says the format). */
export interface RecordedSteps {
  readonly steps: readonly (readonly [now: number, event: unknown])[];
  /** CRC-32 of the effects of all steps, as JSON, each followed by a line feed. */
  readonly effects: number;
  /** Characters of each step's effects. */
  readonly sizes: readonly number[];
}

export interface RecordingHead {
  readonly machine: string;
  readonly options: unknown;
}

/** The file is no recording, or its inside is broken. */
export class RecordingFileError extends Error {
  override readonly name = 'RecordingFileError';
}

const CHUNK = 1 << 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * @returns the recordings in a folder and in the folders in it (a process each), or the one that is named, by name.
 * @throws RecordingFileError when there is none.
 */
export function recordingPaths(path: string): readonly string[] {
  if (statSync(path).isFile()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  const found = names.filter((name) => name.endsWith('.ndjson'));
  if (found.length > 0) return found.sort().map((name) => join(path, name));
  throw new RecordingFileError(`${path}: there is no recording (*.ndjson) in this folder`);
}

/** How the machine was made. @throws RecordingFileError */
export function readRecordingHead(path: string): RecordingHead {
  for (const { text } of linesOf(path)) {
    const head = parsed(text);
    if (head?.['parley'] !== 1 || typeof head['machine'] !== 'string') break;
    return { machine: head['machine'], options: head['options'] };
  }
  throw new RecordingFileError(`${path}: the first line is not that of a recording of version 1`);
}

/**
 * Reads the steps a line at a time; the last line may have been cut short by the end of the process, and is then left out.
 * @throws RecordingFileError
 */
export function* readRecordedSteps(path: string): Generator<RecordedSteps, void> {
  let line = 0;
  for (const { text, last } of linesOf(path)) {
    line++;
    if (line === 1) continue;
    const steps = stepsOf(parsed(text));
    if (steps !== undefined) yield steps;
    else if (!last) throw new RecordingFileError(`${path}: line ${line} holds no steps`);
  }
}

function stepsOf(fields: Fields | undefined): RecordedSteps | undefined {
  if (fields === undefined) return undefined;
  const { n, steps, effects, sizes } = fields;
  const whole = Array.isArray(steps) && Array.isArray(sizes) && steps.length === n && sizes.length === n;
  return whole && typeof effects === 'number' ? { steps, effects, sizes } : undefined;
}

function parsed(text: string): Fields | undefined {
  try {
    const value: unknown = text.includes('null') ? JSON.parse(text, withoutNull) : JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** Events hold no null: it stands for an undefined in a list. */
function withoutNull(_key: string, value: unknown): unknown {
  return value ?? undefined;
}

interface Line {
  readonly text: string;
  /** It has no end: the process may have died while writing it. */
  readonly last: boolean;
}

function* linesOf(path: string): Generator<Line, void> {
  const file = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(CHUNK);
    let rest: Buffer = Buffer.alloc(0);
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      const all = Buffer.concat([rest, chunk.subarray(0, read)]);
      let start = 0;
      for (let end = all.indexOf(10); end >= 0; end = all.indexOf(10, start)) {
        yield { text: all.toString('utf8', start, end), last: false };
        start = end + 1;
      }
      rest = all.subarray(start);
    }
    if (rest.length > 0) yield { text: rest.toString('utf8'), last: true };
  } finally {
    closeSync(file);
  }
}
