import type { Span } from '../../core/contract/records.ts';

/**
 * Which seqs a member sees, told a second time. The oracles do not ask core/sequencing/membership.ts: a fault there would
 * blind the judge and the judged alike.
 */

/** @returns whether `after < seq <= upTo` holds for one of the spans. */
export function sees(spans: readonly Span[], seq: number): boolean {
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]!;
    if (span.after < seq && seq <= span.upTo) return true;
  }
  return false;
}

/** @returns the lowest visible seq above `seq`, undefined when there is none. Spans are disjoint and ascending. */
export function nextSeen(spans: readonly Span[], seq: number): number | undefined {
  for (let i = 0; i < spans.length; i++) {
    const span = spans[i]!;
    const candidate = Math.max(seq, span.after) + 1;
    if (candidate <= span.upTo) return candidate;
  }
  return undefined;
}

/** @returns the highest visible seq at or below `seq`, 0 when there is none. */
export function lastSeen(spans: readonly Span[], seq: number): number {
  for (let i = spans.length - 1; i >= 0; i--) {
    const span = spans[i]!;
    const candidate = Math.min(seq, span.upTo);
    if (candidate > span.after) return candidate;
  }
  return 0;
}

/** @returns whether both show the same seqs among 1 … head: what is in the past must not change. */
export function sameUpTo(before: readonly Span[], now: readonly Span[], head: number): boolean {
  let seq = 0;
  for (;;) {
    const a = nextSeen(before, seq);
    const b = nextSeen(now, seq);
    const left = a === undefined || a > head;
    const right = b === undefined || b > head;
    if (left || right) return left && right;
    if (a !== b) return false;
    // Both spans go on until one of them ends; what lies between is equal.
    seq = Math.max(a, Math.min(endOf(before, a), endOf(now, b), head));
  }
}

/** @returns the last seq of the span that holds `seq`. */
function endOf(spans: readonly Span[], seq: number): number {
  for (const span of spans) if (span.after < seq && seq <= span.upTo) return span.upTo;
  return seq;
}
