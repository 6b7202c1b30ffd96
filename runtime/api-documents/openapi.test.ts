import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { ERROR_RETRYABLE } from '../../core/wire/frames.ts';
import { createDevelopmentTokens } from '../gateway/development-tokens.ts';
import { CONNECT_PATH } from '../gateway/upgrade.ts';
import { probeRoutes } from '../http-api/probe-routes.ts';
import type { Route, RouteInput } from '../http-api/router.ts';
import { mediaContentRoutes } from '../adapters/filesystem/media-content-routes.ts';
import { deviceRoutes, type DeviceRoutesOptions } from '../server/device-routes.ts';
import { readApiDocument, type JsonObject } from './api-document.ts';
import type { ApiSchema } from './api-schema.ts';
import { exampleOf } from './schema-examples.ts';
import { faultsOf } from './schema-faults.ts';

/** docs/api/openapi.yaml against the routes: each is there, and each check of its input is the one that is written there. */

interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly required?: boolean;
  readonly schema: ApiSchema;
}
interface Operation {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: {
    readonly required?: boolean;
    readonly content: Readonly<Record<string, { schema: ApiSchema }>>;
  };
  readonly responses: JsonObject;
}

/** Operations by method. */
type PathItem = Partial<Readonly<Record<'get' | 'post' | 'put' | 'delete', Operation>>> & {
  readonly parameters?: readonly Parameter[];
};
const document = readApiDocument('openapi.yaml') as unknown as {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, PathItem>>;
  readonly components: { readonly schemas: Readonly<Record<string, ApiSchema>> };
};

/** Every route that a process with everything serves. None of them is called: what lies behind them is not needed. */
const nothing = {} as never;
const options: DeviceRoutesOptions = {
  pipeline: { gateway: { polls: nothing }, service: nothing } as never,
  store: nothing,
  media: { routes: mediaContentRoutes(nothing, new Uint8Array(32)) } as never,
  limits: DEFAULT_LIMITS,
  development: createDevelopmentTokens(new Uint8Array(32)),
  unavailable: () => undefined,
};
const routes: readonly Route[] = [
  ...deviceRoutes(options),
  ...probeRoutes({ metrics: nothing, unavailable: () => undefined, checks: () => [] }),
];

const templateOf = (path: string): string => path.replaceAll(/:(\w+)/g, '{$1}');
const described = Object.entries(document.paths).flatMap(([path, { parameters = [], ...operations }]) =>
  Object.entries(operations).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    operation,
    parameters: [...parameters, ...(operation.parameters ?? [])],
  })),
);
const operationOf = ({ method, path }: Route) =>
  described.find(({ name }) => name === `${method} ${templateOf(path)}`);

test('the document has every route, and no other', () => {
  expect(document.openapi).toBe('3.1.0');
  const served = routes.map(({ method, path }) => `${method} ${templateOf(path)}`);
  expect(described.map(({ name }) => name).toSorted()).toEqual([...served, `GET ${CONNECT_PATH}`].toSorted());
  const operations = described.map(({ operation }) => operation.operationId);
  expect(new Set(operations).size).toBe(operations.length);
  expect(document.components.schemas['problem']?.properties?.['code']?.enum).toEqual(
    Object.keys(ERROR_RETRYABLE),
  );
});

test('the document says which routes ask for no token', () => {
  for (const route of routes) {
    const open = operationOf(route)?.operation.security?.length === 0;
    expect([`${route.method} ${route.path}`, open ? 'none' : 'bearer']).toEqual([
      `${route.method} ${route.path}`,
      route.auth,
    ]);
  }
});

/** The parameters of one kind as an object, and the body as it is. */
function schemaOf(route: Route, part: keyof RouteInput): ApiSchema | undefined {
  const found = operationOf(route);
  if (part === 'body') return found?.operation.requestBody?.content['application/json']?.schema;
  const parameters =
    found?.parameters.filter((each) => each.in === (part === 'params' ? 'path' : 'query')) ?? [];
  if (parameters.length === 0) return undefined;
  return {
    type: 'object',
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
    required: parameters.filter(({ required }) => required === true).map(({ name }) => name),
  };
}

const inputs = routes.flatMap((route) =>
  (['params', 'query', 'body'] as const).map((part) => ({
    name: `${part} of ${route.method} ${route.path}`,
    part,
    zod: 'handle' in route ? route.input?.[part] : undefined,
    schema: schemaOf(route, part),
  })),
);

test('the document describes a query or a body exactly where one is checked', () => {
  for (const { name, part, zod, schema } of inputs) {
    // Path parameters that are opaque, and signed queries, are not checked by a schema.
    if (part === 'params' && zod === undefined) continue;
    expect([name, schema !== undefined]).toEqual([name, zod !== undefined]);
  }
});

/** In a URL `null` is as good a text as any. */
const isFreeText = (schema: ApiSchema | undefined): boolean =>
  schema?.type === 'string' && schema.format === undefined;

interface Fields {
  readonly properties?: Readonly<
    Record<string, { readonly type?: string; readonly enum?: readonly unknown[] }>
  >;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}

describe.each(
  inputs.flatMap((each) =>
    each.zod === undefined || each.schema === undefined
      ? []
      : [{ ...each, zod: each.zod, schema: each.schema }],
  ),
)('$name', ({ part, zod, schema }) => {
  // Everything in a URL is text.
  const asSent = (value: JsonObject): JsonObject =>
    part === 'body'
      ? value
      : Object.fromEntries(Object.entries(value).map(([name, each]) => [name, String(each)]));

  test('has the same fields', () => {
    const code = z.toJSONSchema(zod, { io: 'input', unrepresentable: 'any' }) as Fields;
    expect(Object.keys(schema.properties ?? {}).toSorted()).toEqual(
      Object.keys(code.properties ?? {}).toSorted(),
    );
    expect((schema.required ?? []).toSorted()).toEqual((code.required ?? []).toSorted());
    if (part !== 'body') return;
    expect(schema.additionalProperties).toBe(code.additionalProperties);
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      const own = code.properties?.[name];
      if (own?.type !== undefined) expect([name, field.type]).toEqual([name, own.type]);
      if (own?.enum !== undefined) expect([name, field.enum]).toEqual([name, own.enum]);
    }
  });

  test('is taken when it is right, and refused by the name of what is wrong', () => {
    fc.assert(
      fc.property(exampleOf(schema), (value) => {
        const example = value as JsonObject;
        expect(zod.safeParse(asSent(example)).error, JSON.stringify(example)).toBeUndefined();
        for (const { name, value: broken, field } of faultsOf(example, schema)) {
          if (part !== 'body' && isFreeText(schema.properties?.[field])) continue;
          const result = zod.safeParse(asSent(broken));
          expect(result.success, `${name} in ${JSON.stringify(broken).slice(0, 200)}`).toBe(false);
          const paths = result.error?.issues.map(({ path }) => path.join('.')) ?? [];
          expect(
            paths.some((path) => path.startsWith(field)),
            `${name}: ${paths.join()}`,
          ).toBe(true);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('is refused with a field that is not known', () => {
    if (part === 'params') return;
    fc.assert(
      fc.property(exampleOf(schema), (value) => {
        expect(zod.safeParse({ ...asSent(value as JsonObject), surprise: '1' }).success).toBe(false);
      }),
      { numRuns: 5 },
    );
  });
});
