import type { Micros } from '../contract/time.ts';

/**
 * RFC 3339 in UTC with milliseconds, to and from integer microseconds, without the engine's Date: the core has no clock
 * and no time zone. Calendar arithmetic after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */

const MS_PER_DAY = 86_400_000;
const DAYS_PER_ERA = 146_097;
/** Days from 0000-03-01, where the algorithm counts from, to 1970-01-01. */
const EPOCH_SHIFT = 719_468;

/**
 * @param at microseconds since the Unix epoch, year 0 to 9999. Below a millisecond is cut off. From the year 4253 on a
 * number no longer tells every microsecond apart, and the text may be a millisecond early.
 */
export function formatRfc3339(at: Micros): string {
  const ms = Math.floor(at / 1000);
  const days = Math.floor(ms / MS_PER_DAY);
  const [year, month, day] = civilFromDays(days);
  const inDay = ms - days * MS_PER_DAY;
  const hour = Math.floor(inDay / 3_600_000);
  const minute = Math.floor(inDay / 60_000) % 60;
  const second = Math.floor(inDay / 1000) % 60;
  return (
    `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T` +
    `${digits(hour, 2)}:${digits(minute, 2)}:${digits(second, 2)}.${digits(inDay % 1000, 3)}Z`
  );
}

/**
 * @returns microseconds since the Unix epoch, or undefined when the text is not in the one form that `formatRfc3339`
 * writes, or names a millisecond that no number of microseconds stands for (some, from the year 4253 on).
 */
export function parseRfc3339(text: string): Micros | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/.exec(text);
  if (parts === null) return undefined;
  const [year, month, day, hour, minute, second, ms] = parts.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const at = daysFromCivil(year, month, day) * MS_PER_DAY + ((hour * 60 + minute) * 60 + second) * 1000 + ms;
  const micros = (at * 1000) as Micros;
  // 30 February and 25 o'clock come back as something else.
  return formatRfc3339(micros) === text ? micros : undefined;
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function civilFromDays(days: number): [year: number, month: number, day: number] {
  const z = days + EPOCH_SHIFT;
  const era = Math.floor(z / DAYS_PER_ERA);
  const doe = z - era * DAYS_PER_ERA;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return [yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - Math.floor((153 * mp + 2) / 5) + 1];
}

function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const doe = yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy;
  return era * DAYS_PER_ERA + doe - EPOCH_SHIFT;
}
