/**
 * Latencies as integers: 256 quantiles between given points, drawn by index. No logarithm and no exponential, whose last
 * bit differs between engines; a table gives the same microseconds everywhere.
 */
export type LatencyTable = Int32Array;

/** log2 of the size; a draw is the upper bits of a hash. */
const TABLE_BITS = 8;

/** @param points microseconds at evenly spaced quantiles, ascending, at least two. The last ones are the tail. */
function quantiles(points: readonly number[]): LatencyTable {
  const table = new Int32Array(1 << TABLE_BITS);
  const steps = points.length - 1;
  for (let i = 0; i < table.length; i++) {
    const place = i * steps;
    const left = Math.floor(place / table.length);
    const rest = place - left * table.length;
    const low = points[left]!;
    table[i] = low + Math.floor(((points[left + 1]! - low) * rest) / table.length);
  }
  return table;
}

/** @param hash 32 bits unsigned. @returns microseconds. */
export function drawLatency(table: LatencyTable, hash: number): number {
  return table[hash >>> (32 - TABLE_BITS)]!;
}

/** One network: between nodes of the service, between a device and its gateway, and what an engine needs for a call. */
export interface LatencyProfile {
  readonly inside: LatencyTable;
  readonly device: LatencyTable;
  readonly read: LatencyTable;
  readonly commit: LatencyTable;
}

const READ = quantiles([150, 200, 250, 300, 400, 500, 700, 1_200, 4_000]);
const COMMIT = quantiles([400, 600, 800, 1_000, 1_300, 1_800, 2_500, 5_000, 20_000]);
const ZONE = quantiles([120, 180, 220, 260, 320, 400, 550, 900, 3_000]);

/** `local`: one machine. `region`: zones of one region, devices on a good line. `mobile`: the same, devices on the move. */
export const LATENCIES: Readonly<Record<'local' | 'region' | 'mobile', LatencyProfile>> = {
  local: {
    inside: quantiles([20, 25, 30, 35, 40, 50, 70, 150]),
    device: quantiles([30, 40, 50, 60, 80, 120, 200, 500]),
    read: quantiles([40, 60, 80, 100, 130, 180, 300, 900]),
    commit: quantiles([150, 200, 260, 330, 420, 600, 1_000, 3_000]),
  },
  region: {
    inside: ZONE,
    device: quantiles([4_000, 6_000, 8_000, 10_000, 13_000, 18_000, 30_000, 80_000]),
    read: READ,
    commit: COMMIT,
  },
  mobile: {
    inside: ZONE,
    device: quantiles([25_000, 32_000, 40_000, 50_000, 65_000, 90_000, 140_000, 280_000]),
    read: READ,
    commit: COMMIT,
  },
};
