import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  advance,
  newPartitionProgress,
  noteHanded,
  noteSafe,
  setAside,
  type SetAside,
} from './partition-progress.ts';

test('a commit goes past what was set aside, once that is safe and everything before it is finished', () => {
  const progress = newPartitionProgress(1, 10);
  noteHanded(progress, 10);
  const first = setAside(progress, 11);
  noteHanded(progress, 12);
  const last = setAside(progress, 13);
  advance(progress, 11);
  expect(progress.finished).toBe(11);
  noteSafe(progress, first);
  expect(progress.finished).toBe(12);
  noteSafe(progress, last);
  expect(progress.finished).toBe(12);
  advance(progress, 13);
  expect(progress.finished).toBe(14);
});

test('work that is finished behind a poison record waits until that is safe', () => {
  const progress = newPartitionProgress(1, 0);
  const poison = setAside(progress, 0);
  noteHanded(progress, 1);
  advance(progress, 2);
  expect(progress.finished).toBe(0);
  noteSafe(progress, poison);
  expect(progress.finished).toBe(2);
});

test('nothing that is not finished, or not safe, is ever committed; and everything is in the end', () => {
  const logs = fc.array(fc.constantFrom<'event' | 'poison'>('event', 'poison'), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(logs, fc.infiniteStream(fc.nat()), (log, choices) => {
      const progress = newPartitionProgress(1, 0);
      const aside: SetAside[] = [];
      log.forEach((kind, offset) => {
        if (kind === 'event') noteHanded(progress, offset);
        else aside.push(setAside(progress, offset));
      });
      // The core finishes what it was handed in order; the dead letters become safe in any order.
      const handed = log.flatMap((kind, offset) => (kind === 'event' ? [offset] : []));
      const finished = new Set<number>();
      const unsafe = [...aside];
      while (handed.length > 0 || unsafe.length > 0) {
        const choice = choices.next().value as number;
        if (unsafe.length > 0 && (handed.length === 0 || choice % 2 === 0)) {
          const [record] = unsafe.splice(choice % unsafe.length, 1) as [SetAside];
          finished.add(record.offset);
          noteSafe(progress, record);
        } else {
          const offset = handed.shift() as number;
          finished.add(offset);
          advance(progress, offset + 1);
        }
        for (let offset = 0; offset < progress.finished; offset++) expect(finished.has(offset)).toBe(true);
      }
      expect(progress.finished).toBe(log.length);
    }),
  );
});
