import type { Plant } from './plant.ts';

/** Each needs a file of its own; most are planted into a role, where the rules for shells hold. */
const role = (what: string, rule: string, source: string): Plant => ({
  what,
  path: `runtime/gateway/${what.replaceAll(/[^a-z]+/g, '-')}.ts`,
  source,
  rule,
});

const SEND = 'declare const send: () => Promise<void>;\n';

export const LINT_PLANTS: readonly Plant[] = [
  role('a lost promise', 'no-floating-promises', `${SEND}export const f = () => {\n  send();\n};`),
  role(
    'a promise lost on purpose',
    'no-floating-promises',
    `${SEND}export const f = () => {\n  void send();\n};`,
  ),
  role('a promise as a condition', 'no-misused-promises', `${SEND}export const f = () => (send() ? 1 : 2);`),
  role(
    'an async listener',
    'no-misused-promises',
    `${SEND}export const f = [1].forEach(async () => send());`,
  ),
  role('an await of nothing', 'await-thenable', 'export const f = async (x: number) => await x;'),
  role('a thrown string', 'only-throw-error', "export const f = () => {\n  throw 'no';\n};"),
  role('any', 'no-explicit-any', 'export const f = (x: any) => typeof x;'),
  role(
    'any from a parser',
    'no-unsafe-assignment',
    "export const f = () => {\n  const x = JSON.parse('1');\n  return typeof x;\n};",
  ),
  role('a call of any', 'no-unsafe-call', "export const f = () => {\n  JSON.parse('1')();\n};"),
  role('a member of any', 'no-unsafe-member-access', "export const f = () => typeof JSON.parse('1').x;"),
  role('any returned', 'no-unsafe-return', "export const f = (): number => JSON.parse('1');"),
  role(
    'a promise that it is there',
    'no-non-null-assertion',
    'export const f = (x: number | undefined) => x!;',
  ),
  role(
    'a forgotten kind',
    'switch-exhaustiveness-check',
    "export const f = (x: 'a' | 'b') => {\n  switch (x) {\n    case 'a':\n      return 1;\n  }\n  return 2;\n};",
  ),
  role(
    'a sequence number as a condition',
    'strict-boolean-expressions',
    'export const f = (seq: number) => (seq ? 1 : 2);',
  ),
  role('a default export', 'no-default-export', 'const f = 1;\nexport default f;'),
  role('a loose comparison', 'eqeqeq', 'export const f = (x: unknown) => x == 1;'),
  role('a print', 'no-console', "export const f = () => console.log('x');"),
  role('an unused variable', 'no-unused-vars', 'const unused = 1;\nexport const f = 2;'),
  role('an object in a text', 'restrict-template-expressions', 'export const f = (x: object) => `${x}`;'),
  role('an ignored error', 'ban-ts-comment', '// @ts-ignore\nexport const f: number = 1;'),
  role(
    'Node by its old name',
    'prefer-node-protocol',
    "import fs from 'fs';\nexport const f = fs.existsSync('x');",
  ),
  role(
    'a sort by text',
    'require-array-sort-compare',
    'export const f = [3, 20].toSorted().length + [1, 10].sort().length;',
  ),
  role('a needless disable', 'unnamed', '// oxlint-disable-next-line no-debugger\nexport const f = 1;'),
  role(
    'a very long function',
    'max-lines-per-function',
    `export const f = () => {\n${'  g();\n'.repeat(150)}};\nconst g = () => 1;`,
  ),
  role('a very long file', 'max-lines', 'export {};\n'.repeat(401)),
  {
    what: 'an unkind name',
    path: 'runtime/gateway/openSocket.ts',
    source: 'export const f = 1;',
    rule: 'filename-case',
  },
  {
    what: 'a cycle',
    path: 'runtime/gateway/hen.ts',
    source: "import { egg } from './egg.ts';\nexport const hen = (): number => egg();",
    rule: 'no-cycle',
  },
  {
    what: 'the other half of the cycle',
    path: 'runtime/gateway/egg.ts',
    source: "import { hen } from './hen.ts';\nexport const egg = (): number => hen();",
    rule: 'no-cycle',
  },
  {
    what: 'a lost promise in a test',
    path: 'core/lost.test.ts',
    source: "import { test } from 'vitest';\ntest('x', () => {\n  Promise.resolve(1);\n});",
    rule: 'no-floating-promises',
  },
  {
    what: 'a test that hides the others',
    path: 'core/only.test.ts',
    source: "import { expect, test } from 'vitest';\ntest.only('x', () => expect(1).toBe(1));",
    rule: 'no-focused-tests',
  },
  {
    what: 'a test that is skipped',
    path: 'core/skipped.test.ts',
    source: "import { expect, test } from 'vitest';\ntest.skip('x', () => expect(1).toBe(1));",
    rule: 'no-disabled-tests',
  },
  {
    what: 'any in the core',
    path: 'core/loose.ts',
    source: 'export const f = (x: any) => typeof x;',
    rule: 'no-explicit-any',
  },
];
