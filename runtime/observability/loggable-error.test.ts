import { expect, test } from 'vitest';
import { loggableError, WITHHELD } from './loggable-error.ts';

/** What node-postgres throws: the server's fields as they came. */
function databaseError(code: string, message: string): Error {
  return Object.assign(new Error(message), {
    name: 'error',
    code,
    severity: 'ERROR',
    detail: 'Failing row contains (1, SECRET).',
    where: "unnamed portal parameter $1 = 'SECRET'",
    hint: 'SECRET',
    table: 'bodies',
    constraint: 'bodies_check',
  });
}

test('an error of PostgreSQL says which rule was broken, not by which row', () => {
  const logged = loggableError(databaseError('23514', 'new row violates check constraint "bodies_check"'));
  expect(logged).toMatchObject({
    message: 'new row violates check constraint "bodies_check"',
    code: '23514',
    severity: 'ERROR',
    table: 'bodies',
    constraint: 'bodies_check',
  });
  expect(JSON.stringify(logged)).not.toContain('SECRET');
});

test.each([
  ['a data exception of PostgreSQL', databaseError('22P02', 'invalid input syntax for type uuid: "SECRET"')],
  ['what a function raises', databaseError('P0001', 'not SECRET')],
  ['text that is not JSON', caught(() => JSON.parse('SECRET'))],
  [
    'arguments of a command',
    Object.assign(new Error('ERR unknown command, with args beginning with: SECRET'), {
      name: 'ReplyError',
      command: { name: 'x', args: ['SECRET'] },
    }),
  ],
  ['a kind that nobody knows', Object.assign(new Error('SECRET'), { name: 'PackageError' })],
  ['what is no error at all', 'SECRET'],
])('%s keeps its words to itself', (_name, error) => {
  const logged = loggableError(error);
  expect(logged.message).toBe(WITHHELD);
  expect(JSON.stringify(logged)).not.toContain('SECRET');
});

test('causes and parts are told by the same rule, and a chain that leads into itself ends', () => {
  const inner = databaseError('22001', 'SECRET');
  const outer: Error & { cause?: unknown } = new AggregateError([inner, new Error('ECONNREFUSED')], 'both');
  outer.cause = outer;
  const logged = loggableError(outer);
  expect(logged.errors?.map(({ message }) => message)).toEqual([WITHHELD, 'ECONNREFUSED']);
  expect(JSON.stringify(logged)).not.toContain('SECRET');
});

test('a stack is where it was thrown, however many lines the message has', () => {
  const logged = loggableError(new SyntaxError('line\n    at SECRET'));
  expect(logged.stack).toContain('loggable-error.test.ts');
  expect(JSON.stringify(logged)).not.toContain('SECRET');
});

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
