/**
 * What deterministic code must not use, each with its reason. The same events in the same order must give the
 * same effects on every machine and every run, or a failing seed cannot be replayed.
 */

/** Folders whose files are held to it; tests are not. */
export const PURE = (path: string): boolean =>
  path.startsWith('core/') || (path.startsWith('sim/') && !path.startsWith('sim/commands/'));

const CLOCK = 'time is an argument (`now`)';
const TIMER = 'a wake-up is an effect';
const RANDOM = 'randomness is keyed: core/contract/random.ts';
const AMBIENT = 'input comes in as events, output goes out as effects';
const PROMISE = 'a machine is synchronous';
const LOCALE = 'results differ by machine and locale';
const COLLECTOR = 'results depend on when memory is collected';
const CODE = 'code from a string cannot be checked';
const SHARED = 'memory shared with a thread changes on its own';

/** Globals by name. Naming a local after one is reported as well: the reader should not have to look twice. */
export const BANNED_GLOBALS: ReadonlyMap<string, string> = new Map([
  ['Date', CLOCK],
  ['Temporal', CLOCK],
  ['performance', CLOCK],
  ['setTimeout', TIMER],
  ['setInterval', TIMER],
  ['setImmediate', TIMER],
  ['clearTimeout', TIMER],
  ['clearInterval', TIMER],
  ['clearImmediate', TIMER],
  ['queueMicrotask', TIMER],
  ['requestAnimationFrame', TIMER],
  ['crypto', RANDOM],
  ['Crypto', RANDOM],
  ['process', AMBIENT],
  ['globalThis', AMBIENT],
  ['global', AMBIENT],
  ['window', AMBIENT],
  ['self', AMBIENT],
  ['navigator', AMBIENT],
  ['console', AMBIENT],
  ['fetch', AMBIENT],
  ['Buffer', AMBIENT],
  ['require', AMBIENT],
  ['Promise', PROMISE],
  ['PromiseLike', PROMISE],
  ['AsyncIterable', PROMISE],
  ['AsyncGenerator', PROMISE],
  ['Intl', LOCALE],
  ['WeakRef', COLLECTOR],
  ['FinalizationRegistry', COLLECTOR],
  ['SharedArrayBuffer', SHARED],
  ['Atomics', SHARED],
  ['eval', CODE],
  ['Function', CODE],
  ['WebAssembly', CODE],
]);

/** Methods by name, on whatever object. */
export const BANNED_METHODS: ReadonlyMap<string, string> = new Map([
  ['toLocaleString', LOCALE],
  ['toLocaleDateString', LOCALE],
  ['toLocaleTimeString', LOCALE],
  ['toLocaleUpperCase', LOCALE],
  ['toLocaleLowerCase', LOCALE],
  ['localeCompare', LOCALE],
  ['asyncIterator', PROMISE],
  ['asyncDispose', PROMISE],
]);

/**
 * The members of Math whose result the language fixes to the last bit. The others (exp, log, pow, sin, …) are
 * "implementation-approximated" (ECMA-262, 21.3.2) and may differ between engines and versions.
 */
export const EXACT_MATH: ReadonlySet<string> = new Set([
  'abs',
  'ceil',
  'clz32',
  'floor',
  'fround',
  'imul',
  'max',
  'min',
  'round',
  'sign',
  'sqrt',
  'trunc',
  'PI',
  'E',
]);
