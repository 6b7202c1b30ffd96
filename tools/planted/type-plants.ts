import type { Plant } from './plant.ts';

const core = (what: string, rule: string, source: string): Plant => ({
  what,
  path: `core/${what.replaceAll(/[^a-z]+/g, '-')}.ts`,
  source,
  rule,
});

export const TYPE_PLANTS: readonly Plant[] = [
  core('an enum, which Node cannot strip', 'TS1294', 'export enum Colour {\n  Red,\n}'),
  core('a parameter property', 'TS1294', 'export class C {\n  constructor(readonly x: number) {}\n}'),
  core('an unchecked index', 'TS2322', 'export const f = (x: number[]): number => x[0];'),
  core('a missing override', 'TS4114', 'class A {\n  run() {}\n}\nexport class B extends A {\n  run() {}\n}'),
  core('undefined for an optional', 'TS2375', 'export const f: { x?: number } = { x: undefined };'),
  core('an implicit any', 'TS7006', 'export const f = (x) => x;'),
  core('a null in disguise', 'TS18048', 'export const f = (x?: string) => x.length;'),
  core(
    'a fall through',
    'TS7029',
    "export const f = (x: string) => {\n  let n = 0;\n  switch (x) {\n    case 'a':\n      n = 1;\n    case 'b':\n      n += 2;\n  }\n  return n;\n};",
  ),
  core(
    'a forgotten kind',
    'TS2345',
    "declare const assertNever: (x: never) => never;\nexport const f = (x: 'a' | 'b') => {\n  switch (x) {\n    case 'a':\n      return 1;\n    default:\n      return assertNever(x);\n  }\n};",
  ),
  core('a path without its return', 'TS7030', 'export const f = (x: boolean) => {\n  if (x) return 1;\n};'),
  core('a type imported as a value', 'TS1484', "import { Lamp } from './lamp.ts';\nexport type F = Lamp;"),
  core(
    'an import without its extension',
    'TS2835',
    "import { newLamp } from './lamp';\nexport const f = newLamp;",
  ),
  core('a timer that the core does not know', 'TS2304', 'export const f = () => setTimeout(f, 1);'),
  core('a process that the core does not know', 'TS2591', 'export const f = process.pid;'),
  core(
    'a project that the core does not see',
    'TS6307',
    "import { flicker } from '../sim/engine/flicker.ts';\nexport const f = flicker;",
  ),
  {
    what: 'a page in a server',
    path: 'runtime/gateway/page.ts',
    source: 'export const f = document.title;',
    rule: 'TS2584',
  },
  {
    what: 'a process in a browser',
    path: 'runtime/client/home.ts',
    source: 'export const f = process.cwd();',
    rule: 'TS2591',
  },
  {
    what: 'a wrong type in a test',
    path: 'core/wrong.test.ts',
    source: "import { newLamp } from './lamp.ts';\nconst f: number = newLamp();\nexport const g = f;",
    rule: 'TS2322',
  },
];
