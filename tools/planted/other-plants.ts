import type { Plant, StepName } from './plant.ts';

export const FORMAT_PLANTS: readonly Plant[] = [
  {
    what: 'an indent of four',
    path: 'core/indent.ts',
    source: 'export const f = {\n    x: 1,\n};\n',
    rule: 'format',
  },
  { what: 'double quotes', path: 'sim/engine/quotes.ts', source: 'export const f = "x";\n', rule: 'format' },
  {
    what: 'a line too long',
    path: 'runtime/long.ts',
    source: `export const f = [${'1234, '.repeat(30)}];\n`,
    rule: 'format',
  },
  { what: 'crowded JSON', path: 'sim/knobs.json', source: '{"a":1}\n', rule: 'format' },
];

const USED = 'export const used = 1;\n';

export const DEAD_CODE_PLANTS: readonly Plant[] = [
  { what: 'a file that nobody imports', path: 'core/lonely.ts', source: USED, rule: 'Unused files' },
  {
    what: 'an export that nobody imports',
    path: 'core/extra.ts',
    source: `${USED}export const unused = 2;\n`,
    rule: 'Unused exports',
  },
  {
    what: 'a type that nobody imports',
    path: 'core/extra-type.ts',
    source: `${USED}export type Unused = number;\n`,
    rule: 'Unused exported types',
  },
  {
    what: 'a package that package.json does not list',
    path: 'runtime/unlisted.ts',
    source: `import 'pino';\n${USED}`,
    rule: 'Unlisted dependencies',
  },
];

/** Files that a step's tree needs beside its plants: what imports them, so that they are not merely lonely. */
export const WIRING: Readonly<Partial<Record<StepName, Readonly<Record<string, string>>>>> = {
  'dead-code': {
    'sim/commands/wiring.ts': `import { used as a } from '../../core/extra.ts';
import { used as b } from '../../core/extra-type.ts';
import { used as c } from '../../runtime/unlisted.ts';

console.log(a, b, c);
`,
  },
};
