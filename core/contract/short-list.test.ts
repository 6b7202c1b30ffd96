import { expect, it } from 'vitest';
import { shortList } from './short-list.ts';

it('is an empty array like any other, and a new one each time', () => {
  const list = shortList<number>();
  expect(list).toEqual([]);
  expect(list).toHaveLength(0);
  list.push(1, 2, 3, 4);
  expect(list).toEqual([1, 2, 3, 4]);
  expect(shortList()).toEqual([]);
});
