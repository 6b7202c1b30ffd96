import pg from 'pg';
import { expect, test } from 'vitest';
import { saysNothingHappened } from './transaction-result.ts';

function stated(code: string): Error {
  return Object.assign(new pg.DatabaseError('an error', 0, 'error'), { code });
}

test.each(['40001', '40P01', '40002', '23505', '23514'])('%s in answer to COMMIT is a rollback', (state) => {
  expect(saysNothingHappened(stated(state), 'COMMIT')).toBe(true);
});

test.each(['57P01', '57014', 'XX000', '08006', '53100'])('%s can follow a COMMIT that happened', (state) => {
  expect(saysNothingHappened(stated(state), 'COMMIT')).toBe(false);
  expect(saysNothingHappened(stated(state), 'statement')).toBe(true);
});

test.each(['40003', '08007'])('%s says that nobody knows, of a statement as of a COMMIT', (state) => {
  expect(saysNothingHappened(stated(state), 'COMMIT')).toBe(false);
  expect(saysNothingHappened(stated(state), 'statement')).toBe(false);
});

test('an error that is not the server’s says nothing', () => {
  expect(saysNothingHappened(new Error('read ECONNRESET'), 'statement')).toBe(false);
});
