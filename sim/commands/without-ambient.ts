import { InvariantError } from '../../core/contract/assert.ts';

/** Where time, chance and the event loop come into a program; the lint bans the names, these catch what it cannot see. */
const TRAPPED: readonly (readonly [object, readonly string[]])[] = [
  [Date, ['now']],
  [performance, ['now']],
  [Math, ['random']],
  [crypto, ['getRandomValues', 'randomUUID']],
  [globalThis, ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask']],
];

/**
 * Does the work with traps on everything that would make a run differ from its repetition: a call of one throws, and the
 * run that made it ends as a crash that names it.
 * @param work synchronous; the traps are gone when it returns or throws.
 */
export function withoutAmbient<Result>(work: () => Result): Result {
  const restore: (() => void)[] = [];
  for (const [holder, names] of TRAPPED) {
    for (const name of names) restore.push(trap(holder, name));
  }
  try {
    return work();
  } finally {
    for (const undo of restore) undo();
  }
}

function trap(holder: object, name: string): () => void {
  const own = Object.getOwnPropertyDescriptor(holder, name);
  Object.defineProperty(holder, name, {
    configurable: true,
    writable: true,
    value: () => {
      throw new InvariantError(`${name}() was called inside a simulated run: it would not replay`);
    },
  });
  return () => {
    if (own === undefined) Reflect.deleteProperty(holder, name);
    else Object.defineProperty(holder, name, own);
  };
}
