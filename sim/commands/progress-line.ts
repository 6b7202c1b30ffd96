import { number } from '../trace/render-failure.ts';
import type { Totals } from './campaign.ts';

const ON_TERMINAL_MS = 250;
const IN_LOG_MS = 10_000;

/** Says on standard error how far a campaign is: in place on a terminal, now and then in a log. */
export class ProgressLine {
  readonly #seeds: number;
  readonly #terminal = process.stderr.isTTY;
  #last = performance.now();

  constructor(seeds: number) {
    this.#seeds = seeds;
  }

  show(totals: Totals): void {
    const now = performance.now();
    if (now - this.#last < (this.#terminal ? ON_TERMINAL_MS : IN_LOG_MS)) return;
    this.#last = now;
    const line = `  ${number(totals.seeds)} of ${number(this.#seeds)} seeds · ${rates(totals)} · ${failures(totals)}`;
    process.stderr.write(this.#terminal ? `\r\x1b[2K${line}` : `${line}\n`);
  }

  /** Leaves the line of the terminal empty. */
  clear(): void {
    if (this.#terminal) process.stderr.write('\r\x1b[2K');
  }
}

/** "21,400 seeds/min · 1.24 M events/s · 31.2 h simulated" */
export function rates(totals: Totals): string {
  const seconds = Math.max(totals.seconds, 1e-3);
  const perMinute = number(Math.round((totals.seeds * 60) / seconds));
  return `${perMinute} seeds/min · ${(totals.events / seconds / 1e6).toFixed(2)} M events/s · ${simulated(totals.simulatedMicros)} simulated`;
}

function simulated(micros: number): string {
  const hours = micros / 3.6e9;
  return hours >= 48
    ? `${(hours / 24).toFixed(1)} days`
    : hours >= 1
      ? `${hours.toFixed(1)} h`
      : `${(hours * 60).toFixed(1)} min`;
}

function failures(totals: Totals): string {
  const count = totals.found.length + totals.different.length + totals.differentBetween.length;
  return count === 0 ? 'no failure' : `${number(count)} failed`;
}
