import type { z } from 'zod';
import { maskText } from './mask-secrets.ts';
import { nearestKey } from './nearest-key.ts';
import { keysAt, nodesAt, type KeyPath, type SchemaNode } from './schema-node.ts';

/** @returns the key as people write it: `regions.0.kafka.brokers`. */
export function keyOf(path: KeyPath): string {
  return path.join('.');
}

/**
 * Puts what zod found into words, one line a fault.
 * @param origin where the value of a key came from: the name of a variable, or undefined for the file.
 */
export function explainIssue(
  issue: z.core.$ZodIssue,
  schema: SchemaNode,
  origin: (path: KeyPath) => string | undefined,
): readonly string[] {
  const path = issue.path as KeyPath;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(path, key, keysAt(schema, path), origin([...path, key])));
  }
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'kind') {
    return [`${keyOf(path)}: ${shown(kindOf(issue.input), false)} is not one of filesystem, s3`];
  }
  const note = nodesAt(schema, path).find((node) => node.allowed !== undefined);
  const variable = origin(path);
  const key = variable === undefined ? keyOf(path) : `${keyOf(path)} (${variable})`;
  const allowed = note?.allowed ?? issue.message;
  if (issue.input === undefined) return [`${key}: is missing; it takes ${allowed}`];
  return [`${key}: ${shown(issue.input, note?.secret === true)} is not ${allowed}`];
}

export function unknownKey(
  path: KeyPath,
  key: string,
  known: readonly string[],
  variable: string | undefined,
): string {
  const nearest = nearestKey(key, known);
  const advice = nearest === undefined ? `there are ${known.join(', ')}` : `did you mean ${nearest}?`;
  const where = variable === undefined ? keyOf([...path, key]) : `${keyOf([...path, key])} (${variable})`;
  return `${where}: there is no such key; ${advice}`;
}

/** What was given, short enough for a line. A secret is not repeated. */
function shown(value: unknown, secret: boolean): string {
  if (secret && !(typeof value === 'string' && URL.canParse(value))) return 'what was given';
  const text = JSON.stringify(secret ? maskText(value as string) : value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}

function kindOf(input: unknown): unknown {
  return (input as { readonly kind?: unknown } | undefined)?.kind;
}
