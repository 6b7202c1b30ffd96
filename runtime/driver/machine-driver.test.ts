import { expect, test } from 'vitest';
import { InvariantError } from '../../core/contract/assert.ts';
import type { Micros } from '../../core/contract/time.ts';
import { createHalt, createMachineDriver, type Halt } from './machine-driver.ts';

const clock = (): Micros => 1 as Micros;
const noHalt = (): Halt =>
  createHalt((machine, error) => {
    throw new Error(`${machine} broke`, { cause: error });
  });

test('an event that an effect causes waits until the step that caused it is carried out', () => {
  const log: string[] = [];
  const driver = createMachineDriver<string, string>({
    machine: 'test',
    step(event) {
      log.push(`step ${event}`);
      return event === 'first' ? ['cause second', 'cause third'] : [`end ${event}`];
    },
    carryOut(effects) {
      for (const effect of effects) {
        log.push(effect);
        if (effect.startsWith('cause ')) driver.dispatch(effect.slice(6));
      }
    },
    clock,
    halt: noHalt(),
  });
  driver.dispatch('first');
  expect(log).toEqual([
    'step first',
    'cause second',
    'cause third',
    'step second',
    'end second',
    'step third',
    'end third',
  ]);
});

test('a broken machine takes no further event, and neither does its neighbour', () => {
  const broken: unknown[] = [];
  const halt = createHalt((machine, error) => broken.push([machine, error]));
  const steps: string[] = [];
  const make = (machine: string, onStep: () => void) =>
    createMachineDriver<string, never>({
      machine,
      step(event) {
        steps.push(`${machine} ${event}`);
        onStep();
        return [];
      },
      carryOut: () => undefined,
      clock,
      halt,
    });
  const error = new InvariantError('a seq was given twice');
  const bad = make('bad', () => {
    bad.dispatch('queued behind the break');
    throw error;
  });
  const good = make('good', () => undefined);
  bad.dispatch('breaks');
  bad.dispatch('later');
  good.dispatch('later');
  expect(steps).toEqual(['bad breaks']);
  expect(broken).toEqual([['bad', error]]);
});

test('the record of a run is what its steps were given, and what they answered', () => {
  const record: unknown[] = [];
  let now = 10;
  const driver = createMachineDriver<string, string>({
    machine: 'test',
    step: () => ['done'],
    carryOut: () => undefined,
    clock: () => now++ as Micros,
    halt: noHalt(),
    recorder: {
      before: (event, at) => record.push([event, at]),
      after: (effects) => record.push(effects),
    },
  });
  driver.dispatch('a');
  driver.dispatch('b');
  expect(record).toEqual([['a', 10], ['done'], ['b', 11], ['done']]);
});
