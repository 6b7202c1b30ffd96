import { z } from 'zod';
import { configSchema } from './config-schema.ts';

/** The schema as data (JSON Schema 2020-12), with our notes on each key. */
export interface SchemaNode {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly prefixItems?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly allowed?: string;
  readonly description?: string;
  readonly secret?: boolean;
}

export function configJsonSchema(): SchemaNode {
  return z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode;
}

export type KeyPath = readonly (string | number)[];

/** @returns the alternatives of a node: itself, or each member of a union. */
export function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.oneOf ?? node.anyOf ?? [node];
}

/** @returns every node of the schema that a path may mean; none when the path leads nowhere. */
export function nodesAt(root: SchemaNode, path: KeyPath): readonly SchemaNode[] {
  let nodes: readonly SchemaNode[] = [root];
  for (const key of path) {
    nodes = nodes.flatMap(alternatives).flatMap((node) => {
      const child =
        typeof key === 'number' ? (node.prefixItems?.[key] ?? node.items) : node.properties?.[key];
      return child === undefined ? [] : [child];
    });
  }
  return nodes;
}

/** @returns the names that may stand below a path. */
export function keysAt(root: SchemaNode, path: KeyPath): readonly string[] {
  const names = nodesAt(root, path)
    .flatMap(alternatives)
    .flatMap((node) => Object.keys(node.properties ?? {}));
  return [...new Set(names)];
}
