import { defineConfig } from 'vitest/config';

/**
 * One project a folder, so that `vitest --project core` runs the tests beside the code being changed.
 * Tests that need a service or a browser say so in their name and are run by their own target.
 */
const FOLDERS = ['core', 'sim', 'runtime', 'tools'];
/** Suites that take their server from runtime/e2e/test-server.ts. */
const ON_CLUSTER = [
  'protocol',
  'http-api',
  'sdk',
  'privacy',
  'tokens',
  'abuse',
  'chat-terminals',
  'poll',
  'media',
  'sdk-fallback',
  'large-chats',
  'rates',
];

const isCI = process.env['CI'] !== undefined;
/**
 * Real sockets, disks and processes share two cores with everything else: what fails twice is a defect, and a second try
 * is printed. The core and the simulator have nothing of that: what fails there once has failed.
 */
const RETRY = isCI ? 1 : 0;
const PURE = new Set(['core', 'sim']);

export default defineConfig({
  test: {
    watch: false,
    pool: 'forks',
    // Two cores are what the smallest machine has; more workers than cores only make timeouts likelier.
    maxWorkers: isCI ? 2 : '100%',
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A test that is skipped by accident is a promise nobody checks.
    allowOnly: !isCI,
    passWithNoTests: false,
    projects: [
      ...FOLDERS.map((folder) => ({
        extends: true as const,
        test: {
          name: folder,
          retry: PURE.has(folder) ? 0 : RETRY,
          include: [`${folder}/**/*.test.ts`],
          exclude: ['**/node_modules/**', '**/*.services.test.ts', '**/*.browser.test.ts'],
        },
      })),
      // They share the engines that `make services` starts, and some of them break those: one file at a time.
      {
        extends: true as const,
        test: {
          name: 'services',
          include: ['runtime/**/*.services.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          retry: RETRY,
          hookTimeout: 120_000,
        },
      },
      // The suites of the embedded server, unchanged, each against a cluster of processes on those engines.
      {
        extends: true as const,
        test: {
          name: 'cluster',
          include: ON_CLUSTER.map((suite) => `runtime/e2e/${suite}.test.ts`),
          env: { PARLEY_E2E_SYSTEM: 'cluster' },
          fileParallelism: false,
          testTimeout: 60_000,
          retry: RETRY,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
