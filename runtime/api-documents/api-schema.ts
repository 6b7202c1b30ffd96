/** As much of JSON Schema (2020-12) as our API documents use. */
export interface ApiSchema {
  readonly type?: 'string' | 'integer' | 'boolean' | 'array' | 'object';
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: ApiSchema;
  readonly properties?: Readonly<Record<string, ApiSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | ApiSchema;
  readonly propertyNames?: ApiSchema;
  readonly default?: unknown;
  readonly oneOf?: readonly ApiSchema[];
  /** Another field of the same object that bounds this one. */
  readonly 'x-below'?: string;
  readonly 'x-at-most'?: string;
  /** What a reader takes beyond the schema. */
  readonly 'x-tolerated'?: readonly ('absent' | 'other values' | 'other types')[];
  /** The field that a refusal names when this one is absent. */
  readonly 'x-named'?: string;
}
