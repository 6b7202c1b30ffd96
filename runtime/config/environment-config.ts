import { parse } from 'yaml';
import { unknownKey } from './explain-issue.ts';
import { alternatives, keysAt, nodesAt, type KeyPath, type SchemaNode } from './schema-node.ts';

const PREFIX = 'PARLEY_';

/** Variables that mean something else. */
const NOT_KEYS = new Set(['PARLEY_CONFIG', 'PARLEY_SERVICES_DATA', 'PARLEY_CACHE']);

/** What Kubernetes and Docker set for every service whose name starts with "parley". */
const SERVICE_LINK =
  /^[A-Z0-9_]+?_(?:SERVICE_(?:HOST|PORT)(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP)(?:_[A-Z]+)?)?)$/;

export interface EnvironmentKey {
  readonly path: KeyPath;
  readonly variable: string;
  readonly value: unknown;
}

/**
 * Keys from the environment: `PARLEY_` and the key's names in capitals, words by `_`, names by `__`, places in a list by
 * their number: `PARLEY_HTTP__PORT`, `PARLEY_NODE_NAME`, `PARLEY_REGIONS__0__REDIS__URL`. Lists and whole sections are
 * written as JSON. A variable that is set but empty counts as not set.
 * @returns the keys, and a fault for each variable that means none.
 */
export function environmentKeys(
  environment: Readonly<Record<string, string | undefined>>,
  schema: SchemaNode,
): { readonly keys: readonly EnvironmentKey[]; readonly faults: readonly string[] } {
  const keys: EnvironmentKey[] = [];
  const faults: string[] = [];
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable];
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') continue;
    if (NOT_KEYS.has(variable) || (!variable.includes('__') && SERVICE_LINK.test(variable))) continue;
    const path = variable.slice(PREFIX.length).split('__').map(keyName);
    const wrong = path.findIndex((_, depth) => nodesAt(schema, path.slice(0, depth + 1)).length === 0);
    if (wrong === -1) keys.push({ path, variable, value: valueOf(text, nodesAt(schema, path)) });
    else {
      const above = path.slice(0, wrong);
      faults.push(unknownKey(above, String(path[wrong]), keysAt(schema, above), variable));
    }
  }
  return { keys, faults };
}

/** @returns the variable of a key; `0` stands for any place in a list. */
export function variableOf(path: KeyPath): string {
  return PREFIX + path.map((key) => String(key).replaceAll(/[A-Z]/g, '_$&').toUpperCase()).join('__');
}

function keyName(segment: string): string | number {
  if (/^\d{1,4}$/.test(segment)) return Number(segment);
  return segment.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** Text stays text where text is wanted; what cannot be read stays text too, so that the schema can name it. */
function valueOf(text: string, nodes: readonly SchemaNode[]): unknown {
  const types = nodes.flatMap(alternatives).map(({ type }) => type);
  if (types.includes('string') || types.includes(undefined)) return text;
  if (types.includes('integer') || types.includes('number')) {
    return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
  }
  if (types.includes('boolean')) return text === 'true' || text === 'false' ? text === 'true' : text;
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
