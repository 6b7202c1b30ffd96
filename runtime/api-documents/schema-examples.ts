import fc from 'fast-check';
import type { ApiSchema } from './api-schema.ts';

/** Values that a schema allows, small ones and those at its edges. @throws Error for a format that we do not use. */
export function exampleOf(schema: ApiSchema): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'string':
      return textOf(schema);
    case 'integer':
      return fc.integer({ min: schema.minimum ?? 0, max: schema.maximum ?? Number.MAX_SAFE_INTEGER });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(exampleOf(schema.items ?? {}), { maxLength: Math.min(schema.maxItems ?? 4, 4) });
    case 'object':
      return objectOf(schema);
    case undefined:
  }
  return fc.jsonValue({ maxDepth: 1 });
}

function textOf({ format, pattern, maxLength }: ApiSchema): fc.Arbitrary<string> {
  switch (format) {
    case 'id63': {
      const prefix = pattern?.slice(1, 3) ?? '';
      return fc.bigInt({ min: 0n, max: (1n << 63n) - 1n }).map((number) => `${prefix}${number}`);
    }
    case 'uuid':
      return fc.uuid();
    case 'base64':
      // As an encoder writes it: other texts of the same bytes are refused.
      return fc
        .uint8Array({ maxLength: Math.floor((Math.min(maxLength ?? 64, 64) * 3) / 4) })
        .map((bytes) => Buffer.from(bytes).toString('base64'));
    case 'date-time':
      return fc
        .date({ min: new Date(0), max: new Date('2199-12-31T23:59:59.999Z'), noInvalidDate: true })
        .map((date) => date.toISOString());
    case undefined:
      return pattern === undefined ? fc.string() : fc.stringMatching(new RegExp(pattern));
    default:
      throw new Error(`no example of format ${format}`);
  }
}

function objectOf(schema: ApiSchema): fc.Arbitrary<Record<string, unknown>> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema;
  if (typeof additionalProperties === 'object') {
    const names = exampleOf(propertyNames ?? { type: 'string' }) as fc.Arbitrary<string>;
    return fc.dictionary(names, exampleOf(additionalProperties), { maxKeys: 4, noNullPrototype: true });
  }
  const fields = Object.fromEntries(
    Object.entries(properties).map(([name, each]) => [name, exampleOf(each)]),
  );
  return fc
    .record(fields, { requiredKeys: [...required], noNullPrototype: true })
    .map((value) => withinBounds(value as Record<string, unknown>, properties));
}

/** Brings fields that others bound under those. */
function withinBounds(
  value: Record<string, unknown>,
  properties: Readonly<Record<string, ApiSchema>>,
): Record<string, unknown> {
  for (const [name, schema] of Object.entries(properties)) {
    const own = value[name];
    const below = schema['x-below'];
    const atMost = schema['x-at-most'];
    const bound = below === undefined ? value[atMost ?? ''] : Number(value[below]) - 1;
    if (typeof own === 'number' && typeof bound === 'number' && own > bound) value[name] = own % (bound + 1);
  }
  return value;
}
