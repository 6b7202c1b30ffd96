import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { brotliDecompressSync, gunzipSync, gzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { ClickhouseSession, type ChdbLibrary, type EngineError } from './clickhouse-session.ts';

/**
 * The engine of ClickHouse (chDB) behind the part of ClickHouse's HTTP interface that its clients use: ping, queries and
 * inserts in the URL or the body, parameters, settings, compression, and errors as ClickHouse words them. One process owns the
 * folder. `node clickhouse-server.ts --port 8124 --data FOLDER --library PATH/package.json`
 */
const { values } = parseArgs({
  options: { port: { type: 'string' }, data: { type: 'string' }, library: { type: 'string' } },
});
const { port, data, library } = values;
if (port === undefined || data === undefined || library === undefined) {
  process.stderr.write('clickhouse-server: --port, --data and --library are needed\n');
  process.exit(2);
}
const chdb = createRequire(library)('chdb') as ChdbLibrary;
const session = new ClickhouseSession(new chdb.Session(data));

/** URL parameters that are no settings. */
const OWN_PARAMETERS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'session_id',
  'session_timeout',
  'session_check',
  'user',
  'password',
  'role',
  'enable_http_compression',
  'wait_end_of_query',
]);

const MOST_BYTES = 256 * 1024 * 1024;
/** UNKNOWN_TABLE, UNKNOWN_DATABASE. */
const NOT_FOUND: ReadonlySet<number> = new Set([60, 81]);
/** What is wrong with the request itself: CANNOT_PARSE_TEXT, CANNOT_PARSE_*, UNKNOWN_FUNCTION, UNKNOWN_IDENTIFIER, SYNTAX_ERROR, UNKNOWN_SETTING, … */
const BAD_REQUEST: ReadonlySet<number> = new Set([
  6, 26, 27, 36, 38, 41, 43, 46, 47, 53, 62, 72, 73, 115, 386,
]);
/** UNKNOWN_COMPRESSION_METHOD. */
const UNKNOWN_COMPRESSION = 89;

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  identity: (bytes) => bytes,
  gzip: gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://clickhouse');
  if (url.pathname === '/ping' || (request.method === 'GET' && !url.searchParams.has('query'))) {
    response.end('Ok.\n');
    return;
  }
  const body = await bodyOf(request);
  const inUrl = url.searchParams.get('query');
  // Data follow the query that announces them, as in ClickHouse.
  const query = inUrl === null ? body : body === '' ? inUrl : `${inUrl}\n${body}`;
  const result = await session.run({
    query,
    database: url.searchParams.get('database') ?? undefined,
    format: url.searchParams.get('default_format') ?? 'TabSeparated',
    parameters: prefixed(url.searchParams, 'param_'),
    settings: settingsOf(url.searchParams),
  });
  const id = url.searchParams.get('query_id') ?? crypto.randomUUID();
  response.setHeader('x-clickhouse-query-id', id);
  response.setHeader(
    'x-clickhouse-summary',
    JSON.stringify({
      read_rows: String(result.rowsRead),
      read_bytes: String(result.bytesRead),
      elapsed_ns: String(Math.round(result.elapsed * 1e9)),
    }),
  );
  send(request, response, url, Buffer.from(result.bytes()));
}

function send(request: IncomingMessage, response: ServerResponse, url: URL, bytes: Buffer): void {
  const accepts = request.headers['accept-encoding']?.includes('gzip') === true;
  if (!accepts || url.searchParams.get('enable_http_compression') !== '1') {
    response.end(bytes);
    return;
  }
  response.setHeader('content-encoding', 'gzip');
  response.end(gzipSync(bytes));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new Error(`the body is larger than ${MOST_BYTES} bytes`);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const decode = DECODERS[encoding];
  if (decode !== undefined) return decode(bytes).toString('utf8');
  const problem = `Unknown compression method: ${encoding}. (UNKNOWN_COMPRESSION_METHOD)`;
  throw Object.assign(new Error(problem), { clickhouseCode: UNKNOWN_COMPRESSION });
}

function prefixed(parameters: URLSearchParams, prefix: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of parameters)
    if (name.startsWith(prefix)) found[name.slice(prefix.length)] = value;
  return found;
}

function settingsOf(parameters: URLSearchParams): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of parameters)
    if (!OWN_PARAMETERS.has(name) && !name.startsWith('param_')) found[name] = value;
  return found;
}

function statusOf(code: number | undefined): number {
  if (code === undefined || BAD_REQUEST.has(code) || code === UNKNOWN_COMPRESSION) return 400;
  return NOT_FOUND.has(code) ? 404 : 500;
}

function fail(response: ServerResponse, error: EngineError): void {
  const code = error.clickhouseCode ?? 1_000;
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = statusOf(error.clickhouseCode);
  response.setHeader('x-clickhouse-exception-code', String(code));
  const text = error.message.startsWith('Code:')
    ? error.message
    : `Code: ${code}. DB::Exception: ${error.message}`;
  response.end(`${text}\n`);
}

const server = createServer((request, response) => {
  serve(request, response).catch((error: unknown) => fail(response, error as EngineError));
});
server.once('error', (error) => {
  process.stderr.write(`clickhouse-server: ${error.message}\n`);
  process.exit(1);
});
server.listen(Number(port), '127.0.0.1');

async function end(): Promise<never> {
  server.close();
  server.closeAllConnections();
  await session.close();
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const)
  process.once(signal, () => {
    end().catch(() => process.exit(1));
  });
