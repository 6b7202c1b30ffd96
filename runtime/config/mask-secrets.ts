import { configJsonSchema, nodesAt, type KeyPath } from './schema-node.ts';

/** @returns a copy in which every secret is `***`; of a URL only its password is. */
export function maskSecrets(config: unknown): unknown {
  const schema = configJsonSchema();
  return masked(config, []);

  function masked(value: unknown, path: KeyPath): unknown {
    if (Array.isArray(value)) return value.map((item, i) => masked(item, [...path, i]));
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, masked(item, [...path, key])]),
      );
    }
    const secret = nodesAt(schema, path).some((node) => node.secret === true);
    return secret && typeof value === 'string' ? maskText(value) : value;
  }
}

/** @returns `***`, or a URL whose password is. */
export function maskText(secret: string): string {
  if (!URL.canParse(secret)) return '***';
  const url = new URL(secret);
  if (url.password === '') return secret;
  url.password = '***';
  return url.href;
}
