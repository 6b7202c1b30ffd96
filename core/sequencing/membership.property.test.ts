import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userId } from '../contract/ids.ts';
import { type Member, OPEN_END } from '../contract/records.ts';
import { canSee, isCurrent, joined, left, prevVisible, visibleHead } from './membership.ts';

const USER = userId('u_1');

/** The naive model: a set of the seqs that were appended while the user was in. */
interface Model {
  head: number;
  inside: boolean;
  readonly seen: Set<number>;
}

type Step = 'join' | 'leave' | 'append';
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constant<Step>('append') },
    { weight: 2, arbitrary: fc.constantFrom<Step>('join', 'leave') },
  ),
  { maxLength: 40 },
);

function run(history: readonly Step[], after: (member: Member | undefined, model: Model) => void): void {
  const model: Model = { head: 0, inside: false, seen: new Set() };
  let member: Member | undefined;
  for (const step of history) {
    if (step === 'append') {
      model.head++;
      if (model.inside) model.seen.add(model.head);
    } else if (step === 'join') {
      member = joined(member, USER, 'member', model.head);
      model.inside = true;
    } else if (member !== undefined) {
      member = left(member, model.head);
      model.inside = false;
    }
    after(member, model);
  }
}

const highest = (seen: ReadonlySet<number>, below: number): number =>
  Math.max(0, ...[...seen].filter((seq) => seq < below));

describe('membership, against a list of who saw what', () => {
  it('shows a user exactly what was appended while the user was in', () => {
    fc.assert(
      fc.property(steps, (history) => {
        run(history, (member, model) => {
          const spans = member?.spans ?? [];
          for (let seq = 1; seq <= model.head; seq++)
            expect([seq, canSee(spans, seq)]).toEqual([seq, model.seen.has(seq)]);
          // What comes next is seen by who is in now.
          expect(canSee(spans, model.head + 1)).toBe(model.inside);
          expect(isCurrent(spans)).toBe(model.inside);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('links each seq to the last one that the user saw', () => {
    fc.assert(
      fc.property(steps, (history) => {
        run(history, (member, model) => {
          const spans = member?.spans ?? [];
          for (let seq = 1; seq <= model.head + 1; seq++)
            expect([seq, prevVisible(spans, seq)]).toEqual([seq, highest(model.seen, seq)]);
          expect(visibleHead(spans, model.head)).toBe(highest(model.seen, model.head + 1));
        });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps spans disjoint, ascending, without overlap or a seam', () => {
    fc.assert(
      fc.property(steps, (history) => {
        run(history, (member, model) => {
          const spans = member?.spans ?? [];
          let end = -1;
          for (const span of spans) {
            expect(span.after).toBeGreaterThan(end);
            expect(span.after).toBeLessThanOrEqual(span.upTo);
            end = span.upTo;
          }
          if (end !== -1 && end !== OPEN_END) expect(end).toBeLessThanOrEqual(model.head);
          // Never more spans than stretches in which something was seen, and the open one.
          const stretches = [...model.seen].filter((seq) => !model.seen.has(seq - 1)).length;
          expect(spans.length).toBeLessThanOrEqual(stretches + 1);
        });
      }),
    );
  });

  it('does nothing twice: who is in cannot join, who is out cannot leave', () => {
    const owner = joined(undefined, USER, 'owner', 3);
    expect(joined(owner, USER, 'member', 9).spans).toBe(owner.spans);
    const gone = left(owner, 9);
    expect(gone.spans).toEqual([{ after: 3, upTo: 9 }]);
    expect(left(gone, 12)).toBe(gone);
  });

  it('takes the role of who leaves, and remembers nothing of who left before anything came', () => {
    const admin = joined(undefined, USER, 'admin', 3);
    expect(left(admin, 7).role).toBe('member');
    expect(left(admin, 3)).toEqual({ userId: USER, role: 'member', spans: [] });
  });
});
