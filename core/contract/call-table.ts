/**
 * What is under way, by numbers that rise one by one from 1: a ring. Each of these is over soon after it began, and a Map
 * makes a new table for every few entries that come and go.
 *
 * *Invariant:* places of numbers outside `first … next - 1` are undefined; that of `first` is not, unless nothing is under way.
 */
export interface CallTable<Call> {
  /** Of the oldest that is under way. */
  first: number;
  next: number;
  /** As many as a power of two: as many numbers as lie between the oldest and the newest fit. */
  places: (Call | undefined)[];
}

export function newCallTable<Call>(): CallTable<Call> {
  return { first: 1, next: 1, places: [undefined, undefined, undefined, undefined] };
}

/** @returns the number of the call. */
export function addCall<Call>(table: CallTable<Call>, call: Call): number {
  if (table.next - table.first === table.places.length) grow(table);
  table.places[placeOf(table, table.next)] = call;
  return table.next++;
}

/** @returns undefined when that call has ended, or never began. */
export function callAt<Call>(table: CallTable<Call>, number: number): Call | undefined {
  return number >= table.first && number < table.next ? table.places[placeOf(table, number)] : undefined;
}

/** Ends a call. @returns undefined when it has ended before, or never began. */
export function takeCall<Call>(table: CallTable<Call>, number: number): Call | undefined {
  const call = callAt(table, number);
  if (call === undefined) return undefined;
  table.places[placeOf(table, number)] = undefined;
  if (number === table.first) skipEnded(table);
  return call;
}

function placeOf<Call>({ places }: CallTable<Call>, number: number): number {
  // Right for numbers above 2^31 too: the lowest bits stay what they are.
  return number & (places.length - 1);
}

function skipEnded<Call>(table: CallTable<Call>): void {
  do table.first++;
  while (table.first < table.next && callAt(table, table.first) === undefined);
}

function grow<Call>(table: CallTable<Call>): void {
  const { first, places } = table;
  // Each call stands where it belongs now, and a second time half a ring away.
  table.places = [...places, ...places];
  for (let number = first; number < first + places.length; number++)
    table.places[placeOf(table, number + places.length)] = undefined;
}
