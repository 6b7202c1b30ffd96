import type { UserId } from '../contract/ids.ts';
import { type Member, OPEN_END, type Role, type Span } from '../contract/records.ts';

/**
 * Who may see which seq. A change of membership takes effect at a seq: who joins at head `h` sees what is above `h`, who
 * leaves at head `h` keeps what is up to `h`. Everything that asks "may this user see that message" asks here.
 */

/** @returns whether a member with these spans sees `seq`. */
export function canSee(spans: readonly Span[], seq: number): boolean {
  for (const span of spans) if (span.after < seq && seq <= span.upTo) return true;
  return false;
}

/** @returns the highest visible seq below `seq`, 0 when there is none: the link that keeps a sequence with gaps dense. */
export function prevVisible(spans: readonly Span[], seq: number): number {
  for (let i = spans.length - 1; i >= 0; i--) {
    const span = spans[i] as Span;
    const candidate = Math.min(seq - 1, span.upTo);
    if (candidate > span.after) return candidate;
  }
  return 0;
}

/** @returns the highest seq that a member with these spans sees in a chat with this head. */
export function visibleHead(spans: readonly Span[], head: number): number {
  return prevVisible(spans, head + 1);
}

/** @returns whether the membership is open: its user gets what is appended next. */
export function isCurrent(spans: readonly Span[]): boolean {
  const last = spans[spans.length - 1];
  return last !== undefined && last.upTo === OPEN_END;
}

/** A member who (again) sees everything above `head`. */
export function joined(before: Member | undefined, userId: UserId, role: Role, head: number): Member {
  const spans = before?.spans ?? [];
  const last = spans[spans.length - 1];
  if (last === undefined) return { userId, role, spans: [{ after: head, upTo: OPEN_END }] };
  if (last.upTo === OPEN_END) return { userId, role, spans };
  // Left and came back between two messages: nothing was missed, so the span simply goes on.
  if (last.upTo === head)
    return { userId, role, spans: [...spans.slice(0, -1), { after: last.after, upTo: OPEN_END }] };
  return { userId, role, spans: [...spans, { after: head, upTo: OPEN_END }] };
}

/** A member who sees nothing above `head`. */
export function left(before: Member, head: number): Member {
  const last = before.spans[before.spans.length - 1];
  if (last === undefined || last.upTo !== OPEN_END) return before;
  const kept = before.spans.slice(0, -1);
  return {
    ...before,
    role: 'member',
    spans: last.after === head ? kept : [...kept, { after: last.after, upTo: head }],
  };
}
