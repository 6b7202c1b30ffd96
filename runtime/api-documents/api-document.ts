import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads an API document of docs/api/, with every reference replaced by what it points at.
 * @throws Error for a reference that points at nothing, or at itself.
 */
export function readApiDocument(name: 'asyncapi.yaml' | 'openapi.yaml'): JsonObject {
  const text = readFileSync(new URL(`../../docs/api/${name}`, import.meta.url), 'utf8');
  const document = parse(text) as JsonObject;
  return resolved(document, document, []) as JsonObject;
}

function resolved(value: unknown, document: JsonObject, within: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => resolved(item, document, within));
  if (!isObject(value)) return value;
  const { $ref, ...rest } = value;
  const own = Object.fromEntries(
    Object.entries(rest).map(([key, each]) => [key, resolved(each, document, within)]),
  );
  if ($ref === undefined) return own;
  if (typeof $ref !== 'string' || within.includes($ref))
    throw new Error(`a reference leads nowhere: ${JSON.stringify($ref)}`);
  const target = resolved(pointed(document, $ref), document, [...within, $ref]);
  // JSON Schema allows keywords beside a reference.
  return isObject(target) ? { ...target, ...own } : target;
}

function pointed(document: JsonObject, ref: string): unknown {
  let value: unknown = document;
  for (const step of ref.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    value = isObject(value) ? value[key] : undefined;
  }
  if (value === undefined) throw new Error(`a reference points at nothing: ${ref}`);
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
