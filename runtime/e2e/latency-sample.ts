/** Latencies of one stretch of time, in milliseconds. */
export interface LatencySample {
  add(ms: number): void;
  readonly count: number;
  /** @param share from 0 to 1. @returns undefined without samples. */
  percentile(share: number): number | undefined;
  clear(): void;
}

export function createLatencySample(): LatencySample {
  let values: number[] = [];
  let sorted = true;
  return {
    add(ms) {
      values.push(ms);
      sorted = false;
    },
    get count() {
      return values.length;
    },
    percentile(share) {
      if (!sorted) values = Array.from(Float64Array.from(values).sort());
      sorted = true;
      return values[Math.min(values.length - 1, Math.floor(share * values.length))];
    },
    clear() {
      values = [];
      sorted = true;
    },
  };
}
