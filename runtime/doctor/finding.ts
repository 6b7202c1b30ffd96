/** What the doctor found out about one thing. */
export interface Finding {
  /** `PostgreSQL shard eu-0`, `links: certificate`. */
  readonly subject: string;
  readonly region: string | undefined;
  /** `warning`: works, and will not in some event that will come. */
  readonly verdict: 'ok' | 'warning' | 'broken';
  readonly detail: string;
  /** What to do about it, when there is something. */
  readonly next: string | undefined;
}

/** Looks at one thing; what it throws is a finding too. */
export interface Examination {
  readonly subject: string;
  readonly region: string | undefined;
  /** What to do when it does not answer at all. */
  readonly next: string;
  run(): Promise<readonly Pick<Finding, 'verdict' | 'detail' | 'next'>[]>;
}

export const ok = (detail: string) => ({ verdict: 'ok', detail, next: undefined }) as const;
export const warning = (detail: string, next: string) => ({ verdict: 'warning', detail, next }) as const;
export const broken = (detail: string, next: string) => ({ verdict: 'broken', detail, next }) as const;

/** Clocks that differ by more confuse leases, tokens and the order that people see. Milliseconds. */
const CLOCK_WARNING_MS = 500;
const CLOCK_BROKEN_MS = 5_000;

/** @returns a finding when a clock differs from this machine's by more than the round trip explains. */
export function clockFindings(
  aheadMs: number,
  roundTripMs: number,
): readonly Pick<Finding, 'verdict' | 'detail' | 'next'>[] {
  const surely = Math.abs(aheadMs) - roundTripMs;
  if (surely < CLOCK_WARNING_MS) return [];
  const detail = `its clock is ${Math.abs(aheadMs)} ms ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's`;
  return [(surely < CLOCK_BROKEN_MS ? warning : broken)(detail, 'let NTP set the clocks of both machines')];
}
