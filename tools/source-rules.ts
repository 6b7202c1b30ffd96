import { parseSync } from 'oxc-parser';
import { type Finding, positionOf } from './finding.ts';
import { checkLayers } from './layers.ts';
import { checkPurity } from './purity.ts';
import { readSourceFiles, type SourceFile } from './source-files.ts';

/** A file that does not parse has an empty tree, in which no check would find anything. */
const checkSyntax = (files: readonly SourceFile[]): Finding[] =>
  files.flatMap((file) =>
    parseSync(file.path, file.text).errors.map((error) => ({
      path: file.path,
      ...positionOf(file.text, error.labels[0]?.start ?? 0),
      rule: 'syntax',
      message: error.message,
    })),
  );

/**
 * Runs one of the checks that read the sources: `node tools/source-rules.ts layers|purity [ROOT]`.
 * Prints a line for each finding (`path:line:column rule: message`) and one that says what was looked at.
 */
const CHECKS = { layers: checkLayers, purity: checkPurity };

const name = process.argv[2];
if (name !== 'layers' && name !== 'purity') throw new Error('usage: source-rules.ts layers|purity [ROOT]');

const files = readSourceFiles(process.argv[3] ?? '.');
const findings = [...checkSyntax(files), ...CHECKS[name](files)];
for (const f of findings) console.error(`${f.path}:${f.line}:${f.column} ${f.rule}: ${f.message}`);
console.log(`${name}: ${files.length} files, ${findings.length} found`);
process.exitCode = findings.length === 0 ? 0 : 1;
