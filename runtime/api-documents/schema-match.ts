import { isObject } from './api-document.ts';
import type { ApiSchema } from './api-schema.ts';

/** @returns how a value differs from what a schema says of it, one line each; a field that the schema does not name is one. */
export function mismatches(schema: ApiSchema, value: unknown, at = 'answer'): readonly string[] {
  if (schema.enum !== undefined && !schema.enum.includes(value))
    return [`${at} is not one of ${schema.enum.join()}`];
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return [`${at} is no text`];
      return schema.pattern === undefined || new RegExp(schema.pattern).test(value)
        ? []
        : [`${at} is ${value}`];
    case 'integer': {
      const { minimum = -Infinity, maximum = Infinity } = schema;
      return Number.isInteger(value) && Number(value) >= minimum && Number(value) <= maximum
        ? []
        : [`${at} is no such number`];
    }
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at} is no boolean`];
    case 'array':
      if (!Array.isArray(value)) return [`${at} is no list`];
      return value.flatMap((item, i) => mismatches(schema.items ?? {}, item, `${at}[${i}]`));
    case 'object':
      return isObject(value) ? objectMismatches(schema, value, at) : [`${at} is no object`];
    case undefined:
  }
  return [];
}

function objectMismatches(
  schema: ApiSchema,
  value: Readonly<Record<string, unknown>>,
  at: string,
): readonly string[] {
  const { properties = {}, required = [], additionalProperties } = schema;
  const found = required.filter((name) => !(name in value)).map((name) => `${at}.${name} is missing`);
  for (const [name, each] of Object.entries(value)) {
    const known = properties[name];
    if (known !== undefined) found.push(...mismatches(known, each, `${at}.${name}`));
    else if (typeof additionalProperties === 'object')
      found.push(...mismatches(additionalProperties, each, `${at}.${name}`));
    else if (additionalProperties !== true) found.push(`${at}.${name} is not described`);
  }
  return found;
}
