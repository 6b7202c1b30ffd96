import type { ApiSchema } from './api-schema.ts';
import { isObject, type JsonObject } from './api-document.ts';

/** A value with one thing wrong. */
export interface Fault {
  /** What was done to it. */
  readonly name: string;
  readonly value: JsonObject;
  /** The field that whoever refuses it must name. */
  readonly field: string;
  /** The reader takes it all the same: the document says so. */
  readonly tolerated: boolean;
}

/** Every way to break one field of a good example: missing, of another type, beyond a bound, and the same within its parts. */
export function faultsOf(example: JsonObject, schema: ApiSchema): readonly Fault[] {
  const faults: Fault[] = [];
  const { properties = {}, required = [] } = schema;
  for (const [field, each] of Object.entries(properties)) {
    if (each.const !== undefined) continue;
    const tolerated = each['x-tolerated'] ?? [];
    if (required.includes(field)) {
      const { [field]: _left, ...rest } = example;
      const named = each['x-named'] ?? field;
      faults.push({
        name: `no ${field}`,
        value: rest,
        field: named,
        tolerated: tolerated.includes('absent'),
      });
    }
    for (const [what, wrong, kind] of wrongValues(each, example)) {
      faults.push({
        name: `${field}: ${what}`,
        value: { ...example, [field]: wrong },
        field,
        tolerated: tolerated.includes(kind),
      });
    }
    for (const inner of innerFaults(each)) {
      const value = { ...example, [field]: inner.value };
      faults.push({ ...inner, name: `${field}: ${inner.name}`, value, tolerated: false });
    }
  }
  return faults;
}

type Wrong = readonly [what: string, value: unknown, kind: 'other values' | 'other types'];

function wrongValues(schema: ApiSchema, example: JsonObject): readonly Wrong[] {
  const types: Wrong[] = [['null', null, 'other types']];
  if (schema.type !== 'array' || schema.items?.type !== undefined)
    types.push(['a list in a list', [[]], 'other types']);
  if (schema.type !== 'string') types.push(['text', 'seven', 'other types']);
  if (schema.type !== 'integer') types.push(['a number', 7, 'other types']);
  if (schema.type !== 'object') types.push(['an object', {}, 'other types']);
  if (schema.type !== 'boolean') types.push(['a boolean', true, 'other types']);
  return [...types, ...beyondBounds(schema, example)];
}

function beyondBounds(schema: ApiSchema, example: JsonObject): readonly Wrong[] {
  const { enum: choices, minimum, maximum, format, maxLength, maxItems, items } = schema;
  const wrong: Wrong[] = [];
  const add = (what: string, value: unknown): number => wrong.push([what, value, 'other values']);
  if (choices !== undefined) add('no choice', 'SOMETHING_ELSE');
  if (schema.type === 'integer') add('a fraction', 1.5);
  if (minimum !== undefined) add('too small', minimum - 1);
  if (maximum !== undefined) add('too large', maximum + 1);
  const [below, atMost] = [schema['x-below'], schema['x-at-most']];
  if (below !== undefined) add(`not below ${below}`, example[below]);
  if (atMost !== undefined) add(`above ${atMost}`, Number(example[atMost]) + 1);
  if (maxItems !== undefined && items !== undefined)
    add(
      'too many',
      Array.from({ length: maxItems + 1 }, () => `${items.pattern?.slice(1, 3) ?? ''}1`),
    );
  if (maxLength !== undefined) add('too long', 'A'.repeat(maxLength + 4));
  for (const text of wrongTexts(format, schema.pattern)) add(JSON.stringify(text), text);
  return wrong;
}

function wrongTexts(format: string | undefined, pattern: string | undefined): readonly string[] {
  switch (format) {
    case 'id63': {
      const prefix = pattern?.slice(1, 3) ?? '';
      return [
        '',
        '7',
        'z_7',
        prefix,
        `${prefix}-1`,
        `${prefix}01`,
        `${prefix}9223372036854775808`,
        ` ${prefix}1`,
      ];
    }
    case 'uuid':
      return ['', 'not-a-uuid', '01900000-0000-7000-8000-00000000000'];
    case 'base64':
      return ['AAA', 'A===', '????', 'AA A'];
    case 'date-time':
      return ['', 'yesterday', '2026-11-24', '2026-13-24T20:00:00.000Z', '2026-11-24T20:00:00.000+01:00'];
    default:
      return [];
  }
}

/** Faults of the first item of a list, and of the entries of a map. */
function innerFaults(schema: ApiSchema): readonly Fault[] {
  if (schema.type === 'array' && schema.items?.type === 'object') {
    const { items } = schema;
    const good = Object.fromEntries(
      Object.entries(items.properties ?? {}).map(([name, each]) => [
        name,
        each.type === 'integer' ? 1 : `${each.pattern?.slice(1, 3) ?? ''}1`,
      ]),
    );
    return faultsOf(good, items).map((fault) => ({
      ...fault,
      value: [fault.value] as unknown as JsonObject,
    }));
  }
  if (schema.type === 'array' && schema.items?.format === 'id63')
    return [
      { name: 'an item that is no id', value: ['z_1'] as unknown as JsonObject, field: '', tolerated: false },
    ];
  if (isObject(schema.additionalProperties) && schema.propertyNames !== undefined) {
    const key = `${schema.propertyNames.pattern?.slice(1, 3) ?? ''}1`;
    return [
      { name: 'a key that is no id', value: { z_1: 1 }, field: '', tolerated: false },
      { name: 'a negative entry', value: { [key]: -1 }, field: '', tolerated: false },
      { name: 'a text entry', value: { [key]: '1' }, field: '', tolerated: false },
    ];
  }
  return [];
}
