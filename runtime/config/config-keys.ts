import { variableOf } from './environment-config.ts';
import { keyOf } from './explain-issue.ts';
import { alternatives, configJsonSchema, type KeyPath, type SchemaNode } from './schema-node.ts';

/** One key as people look it up. */
export interface ConfigKey {
  readonly key: string;
  readonly variable: string;
  readonly allowed: string;
  /** As JSON; undefined when there is none. */
  readonly fallback: string | undefined;
  readonly description: string;
}

/** @returns every key that holds a value, in the order of the schema; `0` stands for any place in a list. */
export function configKeys(): readonly ConfigKey[] {
  return below(configJsonSchema(), []);
}

function below(node: SchemaNode, path: KeyPath): readonly ConfigKey[] {
  const members = alternatives(node);
  if (members.some(({ properties }) => properties !== undefined)) {
    const found = members.flatMap((member) =>
      Object.entries(member.properties ?? {}).flatMap(([name, child]) => below(child, [...path, name])),
    );
    return found
      .filter(({ key }, i) => found.findIndex((other) => other.key === key) === i)
      .map((first) => ({ ...first, allowed: allowedOf(found.filter(({ key }) => key === first.key)) }));
  }
  if (node.items?.properties !== undefined) return below(node.items, [...path, 0]);
  const fixed = node.const === undefined ? undefined : JSON.stringify(node.const);
  return [
    {
      key: keyOf(path),
      variable: variableOf(path),
      allowed: node.allowed ?? fixed ?? node.type ?? '',
      fallback: node.default === undefined ? undefined : JSON.stringify(node.default),
      description: node.description ?? '',
    },
  ];
}

/** What tells alternatives apart has another value in each. */
function allowedOf(same: readonly ConfigKey[]): string {
  return [...new Set(same.map(({ allowed }) => allowed))].join(' or ');
}

/** The table of `parley config --help` and of the documentation. */
export function configKeyTable(): string {
  const rows = configKeys().filter(({ key }) => !key.startsWith('limits.'));
  const lines = rows.flatMap(({ key, variable, allowed, fallback, description }) => [
    `  ${key}`,
    `      ${description}`,
    `      ${allowed}${fallback === undefined ? '' : `; default ${fallback}`}`,
    `      ${variable}`,
  ]);
  return [
    ...lines,
    '  limits.<name>',
    '      overrides of the limits in core/contract/limits.ts; durations in microseconds, sizes in bytes',
    '      an integer',
    '      PARLEY_LIMITS__<NAME>',
  ].join('\n');
}
