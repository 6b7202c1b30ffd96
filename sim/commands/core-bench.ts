import { Circuit, type MachineRate } from './core-circuit.ts';
import { median } from './median.ts';

/**
 * What the core alone costs: 1:1 messages from `send` to `show`, receipts included, through every machine in turn on one
 * core. The things around the machines answer at once and do nothing: this measures decisions, not engines.
 */
export interface CoreBenchResult {
  /** Messages sent, sequenced, relayed, delivered, shown and receipted per second. */
  readonly messagesPerSecond: number;
  readonly messages: number;
  readonly machines: readonly MachineRate[];
}

const ROUNDS = 9;

/**
 * @param options.pairs of users who write to each other. Few fit a core's cache, and what is left is the decisions; of many
 * a good part of the time is waiting for memory.
 * @param options.messages to time; a warm-up and the times of each machine come on top.
 * @param options.clock milliseconds, monotone.
 */
export function benchCore(options: {
  readonly messages: number;
  readonly pairs: number;
  readonly clock: () => number;
}): CoreBenchResult {
  const plain = (): Circuit => new Circuit(options.pairs, undefined);
  // What is compiled while the first objects of their kind are made is compiled for less than comes later.
  for (let first = 0; first < 2; first++) plain().run(options.messages / 20);
  // The median of rounds: a machine that others share has slow moments.
  const rates: number[] = [];
  let messages = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const circuit = plain();
    circuit.run(options.messages / ROUNDS / 10);
    const begin = options.clock();
    const count = circuit.run(options.messages / ROUNDS);
    rates.push(count / ((options.clock() - begin) / 1000));
    messages += count;
  }
  const timed = new Circuit(options.pairs, options.clock);
  timed.run(options.messages / 10);
  return { messagesPerSecond: median(rates)!, messages, machines: timed.machines() };
}
