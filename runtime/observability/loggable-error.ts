/**
 * What a log may say of an error: an allow-list, because errors quote. PostgreSQL's `detail` holds the row that failed, column
 * by column, its `where` the parameters; ioredis keeps the arguments of a command; V8 quotes the text that is not JSON.
 * Nothing here was written for a log, and a library's next release may add a field.
 */
export interface LoggableError {
  readonly name: string;
  /** `WITHHELD` where the kind of error is known to quote, or not known at all. */
  readonly message: string;
  readonly code?: string;
  readonly severity?: string;
  readonly constraint?: string;
  readonly table?: string;
  /** Where it was thrown: the frames alone, since a stack begins with the message. */
  readonly stack?: string;
  readonly cause?: LoggableError;
  readonly errors?: readonly LoggableError[];
}

export const WITHHELD = '(withheld: it may quote what people wrote)';

/** Names, set by whoever wrote the class, that say what went wrong and not with which value. */
const SPEAKING_NAMES: ReadonlySet<string> = new Set([
  'Error',
  'TypeError',
  'RangeError',
  'AggregateError',
  'AbortError',
  'TimeoutError',
  'InvariantError',
  'KeyError',
  'StartError',
  'StoreNotReadyError',
  'MigrationError',
  'DataFolderInUseError',
  'MaxRetriesPerRequestError',
  'ClusterAllFailedError',
]);
/** Families whose names have a common beginning: kafkajs and jose. */
const SPEAKING_FAMILIES = /^(?:Kafka|JWT|JWK|JWS|JOSE)/;

/** Classes of SQLSTATE whose messages quote values: data exceptions, and what functions raise in their own words. */
const QUOTING_CLASSES: ReadonlySet<string> = new Set(['22', 'P0']);
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Errors within errors; a chain that leads into itself ends too. */
const MAX_DEPTH = 4;

/** Fields that libraries add to their errors, of whatever type. */
interface LibraryFields {
  readonly code?: unknown;
  readonly severity?: unknown;
  readonly constraint?: unknown;
  readonly table?: unknown;
  readonly errors?: unknown;
}

/** For pino, which calls it for the field `err`. */
export function loggableError(error: unknown, depth = 0): LoggableError {
  if (!(error instanceof Error)) return { name: typeof error, message: WITHHELD };
  const { code, severity, constraint, table, errors } = error as Error & LibraryFields;
  const inner = depth < MAX_DEPTH;
  return {
    name: error.name,
    message: loggableMessage(error),
    ...text('code', code),
    ...text('severity', severity),
    ...text('constraint', constraint),
    ...text('table', table),
    ...text('stack', framesOf(error)),
    ...(inner && error.cause !== undefined ? { cause: loggableError(error.cause, depth + 1) } : {}),
    ...(inner && Array.isArray(errors)
      ? { errors: errors.map((each) => loggableError(each, depth + 1)) }
      : {}),
  };
}

/** The message of an error, for a log line that has room for no more than a reason. */
export function loggableMessage(error: unknown): string {
  if (!(error instanceof Error)) return WITHHELD;
  const { name, message } = error;
  const { code, severity } = error as Error & LibraryFields;
  if (typeof severity === 'string' && typeof code === 'string' && SQLSTATE.test(code))
    return QUOTING_CLASSES.has(code.slice(0, 2)) ? WITHHELD : message;
  // Redis quotes the arguments of a command that it does not know, and nothing else.
  if (name === 'ReplyError') return message.includes('with args beginning with') ? WITHHELD : message;
  return SPEAKING_NAMES.has(name) || SPEAKING_FAMILIES.test(name) ? message : WITHHELD;
}

function text<Key extends string>(key: Key, value: unknown): { readonly [K in Key]?: string } {
  return typeof value === 'string' && value !== '' ? ({ [key]: value } as { [K in Key]: string }) : {};
}

function framesOf({ stack = '', message }: Error): string {
  const begin = stack.indexOf(message);
  return stack
    .slice(begin === -1 ? 0 : begin + message.length)
    .split('\n')
    .filter((line) => /^ {4}at /.test(line))
    .join('\n');
}
