import { registerHooks } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ALL_MUTANTS } from '../mutants/all-mutants.ts';
import { plant } from '../mutants/mutant.ts';
import { MUTANT_VARIABLE } from './mutant-variable.ts';

/**
 * Loaded with `--import` before everything else: plants the mutant that the environment names while its file is loaded.
 * The types are stripped afterwards, as usual.
 */
const name = process.env[MUTANT_VARIABLE];
const mutant = ALL_MUTANTS.find((candidate) => candidate.name === name);
if (mutant === undefined) throw new Error(`${MUTANT_VARIABLE} names no mutant: ${name ?? 'it is not set'}`);
const target = pathToFileURL(join(import.meta.dirname, '../..', mutant.file)).href;

registerHooks({
  load(url, context, nextLoad) {
    if (url !== target) return nextLoad(url, context);
    const source = plant(mutant, readFileSync(new URL(url), 'utf8'));
    return { format: 'module-typescript', shortCircuit: true, source };
  },
});
