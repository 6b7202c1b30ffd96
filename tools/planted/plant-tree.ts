import { cpSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../check-steps.ts';

/** The configuration that the checks read; it is copied, so that what holds here is what holds there. */
const CONFIGURATION = [
  '.oxlintrc.json',
  'biome.json',
  'knip.json',
  'tsconfig.base.json',
  'tsconfig.json',
  'tsconfig.tests.json',
  'core/tsconfig.json',
  'sim/tsconfig.json',
  'sim/tsconfig.commands.json',
  'runtime/tsconfig.json',
  'runtime/client/tsconfig.json',
  'runtime/client/tsconfig.node.json',
  'tools/tsconfig.json',
];

/** Writes a project of these files (path to text) into a new temporary folder and returns the folder. */
export const plantTree = (files: Readonly<Record<string, string>>): string => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'parley-planted-')));
  for (const path of CONFIGURATION) cpSync(join(ROOT, path), join(root, path));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');
  return root;
};
