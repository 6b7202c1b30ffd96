import { parseSync, Visitor, type VisitorObject } from 'oxc-parser';
import { type Finding, positionOf } from './finding.ts';
import { BANNED_GLOBALS, BANNED_METHODS, EXACT_MATH, PURE } from './purity-rules.ts';
import { isTest, type SourceFile } from './source-files.ts';

/**
 * Checks that deterministic code uses nothing whose result could differ between two runs: clocks, random
 * sources, timers, promises, locales, inexact arithmetic, state shared by a module. It reads the syntax tree,
 * so that a comment, a string or the key of an object never counts as a use.
 */

type Add = (node: { start: number }, rule: string, message: string) => void;

const MATH = `Math is only used as Math.name, with one of: ${[...EXACT_MATH].join(', ')}`;
const FIXED_FACTORY = 'a module holds no state: it would be shared by every machine of the process';

/** Bans that are a matter of syntax alone. */
const syntaxBans = (add: Add): VisitorObject => {
  const noAsync = (node: { start: number; async: boolean }): void => {
    if (node.async) add(node, 'async', 'an async function; a machine is synchronous');
  };
  return {
    FunctionDeclaration: noAsync,
    FunctionExpression: noAsync,
    ArrowFunctionExpression: noAsync,
    AwaitExpression: (node) => add(node, 'async', 'an await; the outcome comes back as an event'),
    ImportExpression: (node) => add(node, 'async', 'a dynamic import gives a promise'),
    ForOfStatement: (node) => {
      if (node.await) add(node, 'async', 'for await; what is read comes in as events');
    },
    ForInStatement: (node) =>
      add(node, 'for-in', 'for..in goes by inherited keys too; use a Map or Object.keys'),
    MetaProperty: (node) => {
      if (node.meta.name === 'import') add(node, 'ambient', 'import.meta tells where the file lies');
    },
    VariableDeclaration: (node) => {
      if (node.kind === 'await using') add(node, 'async', 'await using; a machine is synchronous');
    },
    BinaryExpression: (node) => {
      // 2 ** 53 is a constant and exact; x ** y has the freedom of Math.pow.
      const literals = node.left.type === 'Literal' && node.right.type === 'Literal';
      if (node.operator === '**' && !literals)
        add(node, 'inexact-math', '** may differ by engine; shift, multiply or take a table');
    },
    AssignmentExpression: (node) => {
      if (node.operator === '**=')
        add(node, 'inexact-math', '**= may differ by engine; multiply or take a table');
    },
  };
};

/** Bans on names: globals, methods, members of Math. */
const nameBans = (add: Add): VisitorObject => {
  // Identifiers that are keys and not uses: the `b` of `a.b` and of `{ b: 1 }`. A parent is visited before
  // its children, so they are known by the time they come.
  const keys = new Set<object>();
  const exact = new Set<object>();
  const key = (node: { computed?: boolean; key: object; shorthand?: boolean }): void => {
    if (node.computed !== true && node.shorthand !== true) keys.add(node.key);
  };
  return {
    MemberExpression: (node) => {
      const { property } = node;
      const name =
        property.type === 'Literal' ? property.value : property.type === 'Identifier' ? property.name : '';
      if (!node.computed) keys.add(property);
      if (node.object.type === 'Identifier' && node.object.name === 'Math') {
        if (!node.computed && EXACT_MATH.has(String(name))) exact.add(node.object);
      }
      const reason = BANNED_METHODS.get(String(name));
      if (reason !== undefined) add(property, 'banned-method', `${String(name)}: ${reason}`);
    },
    Property: key,
    PropertyDefinition: key,
    MethodDefinition: key,
    TSPropertySignature: key,
    TSMethodSignature: key,
    TSQualifiedName: (node) => keys.add(node.right),
    ImportSpecifier: (node) => keys.add(node.imported),
    ExportSpecifier: (node) => keys.add(node.exported),
    LabeledStatement: (node) => keys.add(node.label),
    Identifier: (node) => {
      if (keys.has(node)) return;
      const reason = BANNED_GLOBALS.get(node.name);
      if (reason !== undefined) add(node, 'banned-global', `${node.name}: ${reason}`);
      if (node.name === 'Math' && !exact.has(node)) add(node, 'inexact-math', MATH);
    },
  };
};

/** `let` and containers that anyone in the process could write to, at the top level of a module. */
const checkModuleState = (file: SourceFile, add: Add): void => {
  for (const statement of parseSync(file.path, file.text).program.body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type !== 'VariableDeclaration' || declaration.declare === true) continue;
    if (declaration.kind === 'let' || declaration.kind === 'var')
      add(declaration, 'module-state', FIXED_FACTORY);
    for (const { id, init } of declaration.declarations) {
      if (init?.type !== 'NewExpression' || init.callee.type !== 'Identifier') continue;
      const container = /^(?:Weak)?(?:Map|Set)$/.test(init.callee.name);
      const annotation = id.type === 'Identifier' ? id.typeAnnotation : undefined;
      const type = annotation ? file.text.slice(annotation.start, annotation.end) : '';
      if (container && !/^:\s*Readonly/.test(type)) {
        add(
          init,
          'module-state',
          `${FIXED_FACTORY}; a constant table is typed Readonly${init.callee.name}<…>`,
        );
      }
    }
  }
};

/** Runs several visitors in one walk, in their order. */
const merged = (visitors: readonly VisitorObject[]): VisitorObject => {
  type Handler = (node: never) => void;
  const handlers = new Map<string, Handler[]>();
  for (const visitor of visitors) {
    for (const [type, handler] of Object.entries(visitor)) {
      handlers.set(type, [...(handlers.get(type) ?? []), handler as Handler]);
    }
  }
  const entries = [...handlers].map(([type, all]) => [type, (node: never) => all.forEach((h) => h(node))]);
  return Object.fromEntries(entries) as VisitorObject;
};

export const checkPurity = (files: readonly SourceFile[]): Finding[] => {
  const findings: Finding[] = [];
  for (const file of files) {
    if (!PURE(file.path) || isTest(file.path)) continue;
    const add: Add = (node, rule, message) => {
      findings.push({ path: file.path, ...positionOf(file.text, node.start), rule, message });
    };
    new Visitor(merged([syntaxBans(add), nameBans(add)])).visit(parseSync(file.path, file.text).program);
    checkModuleState(file, add);
  }
  return findings;
};
