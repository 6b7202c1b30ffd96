import type { Plant } from './plant.ts';

const UPWARDS = 'layer';

/** Imports against the direction, each in another of the ways there are to write an import. */
export const LAYER_PLANTS: readonly Plant[] = [
  {
    what: 'core imports runtime',
    path: 'core/upwards.ts',
    source: "import { openSocket } from '../runtime/client/open-socket.ts';\nexport const f = openSocket;",
    rule: UPWARDS,
  },
  {
    what: 'core imports a type of the simulator',
    path: 'core/upwards-type.ts',
    source: "import type { flicker } from '../sim/engine/flicker.ts';\nexport type F = typeof flicker;",
    rule: UPWARDS,
  },
  {
    what: 'core names a type of the simulator without an import statement',
    path: 'core/upwards-type-expression.ts',
    source: "export type F = typeof import('../sim/engine/flicker.ts');",
    rule: UPWARDS,
  },
  {
    what: 'core imports for the side effect',
    path: 'core/upwards-side-effect.ts',
    source: "import '../runtime/main.ts';",
    rule: UPWARDS,
  },
  {
    what: 'core imports a package',
    path: 'core/package.ts',
    source: "import fc from 'fast-check';\nexport const f = fc;",
    rule: UPWARDS,
  },
  {
    what: 'core imports a deep path of a scoped package',
    path: 'core/scoped-package.ts',
    source: "export const f = () => import('@scope/name/deep');",
    rule: UPWARDS,
  },
  {
    what: 'core imports Node',
    path: 'core/node.ts',
    source: "import { readFileSync } from 'node:fs';\nexport const f = readFileSync;",
    rule: UPWARDS,
  },
  {
    what: 'core refers to the types of Node',
    path: 'core/reference.ts',
    source: '/// <reference types="node" />\nexport const f = 1;',
    rule: UPWARDS,
  },
  {
    what: 'a test of core imports runtime',
    path: 'core/upwards.test.ts',
    source: "import '../runtime/main.ts';",
    rule: UPWARDS,
  },
  {
    what: 'a world imports Node',
    path: 'sim/world/disk.ts',
    source: "import fs from 'node:fs';\nexport const f = fs;",
    rule: UPWARDS,
  },
  {
    what: 'the simulator imports runtime, dynamically',
    path: 'sim/world/real.ts',
    source: "export const f = () => import('../../runtime/main.ts');",
    rule: UPWARDS,
  },
  {
    what: 'a world imports a command',
    path: 'sim/world/command.ts',
    source:
      "import { flickerCommand } from '../commands/flicker-command.ts';\nexport const f = flickerCommand;",
    rule: UPWARDS,
  },
  {
    what: 'a role imports the simulator',
    path: 'runtime/gateway/rehearse.ts',
    source: "import { flicker } from '../../sim/engine/flicker.ts';\nexport const f = flicker;",
    rule: UPWARDS,
  },
  {
    what: 'a role imports an engine that its adapter should hide',
    path: 'runtime/gateway/database.ts',
    source: "import pg from 'pg';\nexport const f = pg;",
    rule: UPWARDS,
  },
  {
    what: 'the SDK imports Node in a file for browsers',
    path: 'runtime/client/read-token.ts',
    source: "import { readFileSync } from 'node:fs';\nexport const f = readFileSync;",
    rule: UPWARDS,
  },
  {
    what: 'the SDK imports its Node half in a file for browsers',
    path: 'runtime/client/any-socket.ts',
    source: "import { openNodeSocket } from './open-socket-node.ts';\nexport const f = openNodeSocket;",
    rule: UPWARDS,
  },
  {
    what: 'a check imports the project',
    path: 'tools/nosy.ts',
    source: "const { newLamp } = require('../core/lamp.ts');\nexport const f = newLamp;",
    rule: UPWARDS,
  },
  {
    what: 'a barrel',
    path: 'core/barrel.ts',
    source: "export * from './lamp.ts';",
    rule: 're-export',
  },
  {
    what: 'a re-export by name',
    path: 'core/barrel-by-name.ts',
    source: "export { newLamp } from './lamp.ts';",
    rule: 're-export',
  },
  {
    what: 'a computed import',
    path: 'runtime/plugin.ts',
    source: 'export const f = (name: string) => import(name);',
    rule: 'unchecked-import',
  },
  {
    what: 'a folder of no layer',
    path: 'helpers/things.ts',
    source: 'export const f = 1;',
    rule: 'no-layer',
  },
  { what: 'a file that does not parse', path: 'core/broken.ts', source: 'export const = 1;', rule: 'syntax' },
];
