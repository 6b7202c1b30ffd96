import { matchesGlob, posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { type Finding, positionOf } from './finding.ts';
import { LAYERS, type Layer, TEST_PACKAGES } from './layer-rules.ts';
import { isTest, type SourceFile } from './source-files.ts';

/**
 * Checks every import against the allow-list of layer-rules.ts: static and dynamic imports, re-exports,
 * `import('…')` in types, `require` and triple-slash references.
 */

interface Import {
  /** Undefined when it is an expression, which nobody can check. */
  readonly specifier: string | undefined;
  readonly offset: number;
  readonly reexport: boolean;
}

const importsOf = (file: SourceFile): Import[] => {
  const { program, comments } = parseSync(file.path, file.text);
  const found: Import[] = [];
  const add = (source: { start: number; value?: unknown } | null, reexport = false): void => {
    if (source === null) return;
    const specifier = typeof source.value === 'string' ? source.value : undefined;
    found.push({ specifier, offset: source.start, reexport });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source, true),
    ExportAllDeclaration: (node) => add(node.source, true),
    ImportExpression: (node) => add(node.source),
    TSImportType: (node) => add(node.source),
    TSExternalModuleReference: (node) => add(node.expression),
    CallExpression: (node) => {
      const [first] = node.arguments;
      if (node.callee.type === 'Identifier' && node.callee.name === 'require' && first !== undefined)
        add(first);
    },
  }).visit(program);
  for (const comment of comments) {
    const reference = /^\/\s*<reference\s+(?:path|types)\s*=\s*["']([^"']+)["']/.exec(comment.value);
    if (reference !== null) found.push({ specifier: reference[1], offset: comment.start, reexport: false });
  }
  return found.toSorted((a, b) => a.offset - b.offset);
};

const layerOf = (path: string): Layer | undefined =>
  LAYERS.find((layer) => layer.files.some((pattern) => matchesGlob(path, pattern)));

/** `@scope/name/deep` and `name/deep` belong to the packages `@scope/name` and `name`. */
const packageOf = (specifier: string): string =>
  specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');

/** Says what is wrong with an import, or nothing. */
const problemWith = (file: SourceFile, layer: Layer, specifier: string): string | undefined => {
  const test = isTest(file.path);
  if (specifier.startsWith('node:')) {
    return layer.node || test ? undefined : `${specifier}, but layer "${layer.name}" has no Node`;
  }
  if (!specifier.startsWith('.')) {
    const name = packageOf(specifier);
    const allowed = test ? [...layer.packages, ...TEST_PACKAGES] : layer.packages;
    if (allowed.includes(name)) return undefined;
    const list = allowed.length === 0 ? 'none' : allowed.join(', ');
    return `package ${name}; packages allowed in layer "${layer.name}": ${list}`;
  }
  const target = posix.join(posix.dirname(file.path), specifier);
  const targetLayer = layerOf(target);
  if (targetLayer === undefined) return `${target}, which belongs to no layer`;
  if (targetLayer === layer || layer.imports.includes(targetLayer.name)) return undefined;
  const allowed = [layer.name, ...layer.imports].join(', ');
  return `${target} of layer "${targetLayer.name}"; layers allowed in "${layer.name}": ${allowed}`;
};

export const checkLayers = (files: readonly SourceFile[]): Finding[] => {
  const findings: Finding[] = [];
  for (const file of files) {
    const layer = layerOf(file.path);
    const add = (offset: number, rule: string, message: string): void => {
      findings.push({ path: file.path, ...positionOf(file.text, offset), rule, message });
    };
    if (layer === undefined) {
      add(0, 'no-layer', 'belongs to no layer: give its folder a line in tools/layer-rules.ts');
      continue;
    }
    for (const { specifier, offset, reexport } of importsOf(file)) {
      if (specifier === undefined) {
        add(offset, 'unchecked-import', 'imports a computed name, which cannot be checked: write it out');
        continue;
      }
      if (reexport) add(offset, 're-export', `re-exports ${specifier}: import it from where it is defined`);
      const problem = problemWith(file, layer, specifier);
      if (problem !== undefined) add(offset, 'layer', `imports ${problem}`);
    }
  }
  return findings;
};
