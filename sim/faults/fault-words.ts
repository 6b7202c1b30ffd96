import { MILLISECOND, SECOND } from '../../core/contract/time.ts';

/** A length of time for people: "250 µs", "800 ms", "1.2 s". @param micros integer microseconds, 0 or more. */
export function span(micros: number): string {
  if (micros >= SECOND) return `${trimmed(micros / SECOND)} s`;
  if (micros >= MILLISECOND) return `${trimmed(micros / MILLISECOND)} ms`;
  return `${micros} µs`;
}

/** "for 800 ms", or "for ever". */
export function forHowLong(fault: { readonly for: number; readonly permanent?: boolean }): string {
  return fault.permanent === true ? 'for ever' : `for ${span(fault.for)}`;
}

/** "device-3 and gateway-0" of a link, "gateway-1 and everybody" of a node. */
export function linkWords(target: string): string {
  const at = target.indexOf('~');
  return at < 0 ? `${target} and everybody` : `${target.slice(0, at)} and ${target.slice(at + 1)}`;
}

function trimmed(value: number): string {
  return String(Math.round(value * 1_000) / 1_000);
}
