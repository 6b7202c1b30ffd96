import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Where the system takes the ports of outgoing connections from unless it says otherwise: so it is on Linux. */
const USUAL_EPHEMERAL = 32_768;
/** Below are the ports that engines of `parley services` have. */
const LOWEST = 11_000;
const TRIES = 200;

/**
 * @returns the first port that the system may give to any outgoing connection. A port from there on that is free now may belong to
 * a stranger a moment later; one below it is taken only by who asks for it.
 */
export function ephemeralFrom(): number {
  try {
    const [low] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/);
    return Number(low);
  } catch {
    return USUAL_EPHEMERAL;
  }
}

export interface FreePortsOptions {
  /** All ports that follow from a base, in any order. */
  readonly portsOf: (base: number) => readonly number[];
  /** Bases are multiples of it. */
  readonly step: number;
  /** From 0 to less than 1. */
  readonly random: () => number;
}

/**
 * @returns a base all of whose ports are free, and out of the system's own reach where there is room below that.
 * @throws Error when none was found.
 */
export async function freeBase({ portsOf, step, random }: FreePortsOptions): Promise<number> {
  const span = Math.max(...portsOf(0)) + 1;
  const room = Math.floor((ephemeralFrom() - span - LOWEST) / step);
  const bases = room > 0 ? room : Math.floor((65_535 - span - LOWEST) / step);
  for (let n = 0; n < TRIES; n++) {
    const base = LOWEST + step * Math.floor(random() * bases);
    if ((await takenOf(portsOf(base))).length === 0) return base;
  }
  throw new Error(`no ports are free: ${TRIES} places for ${portsOf(0).length} of them were tried`);
}

/** @returns so many ports in a row, free as those of {@link freeBase} are. */
export async function freePorts(
  count: number,
  random: () => number = Math.random,
): Promise<readonly number[]> {
  const portsOf = (base: number): number[] => Array.from({ length: count }, (_, i) => base + i);
  return portsOf(await freeBase({ portsOf, step: count, random }));
}

/** @returns those of the ports on which nobody can listen now. */
export async function takenOf(ports: readonly number[]): Promise<readonly number[]> {
  const taken = await Promise.all(ports.map(isTaken));
  return ports.filter((_, i) => taken[i] === true);
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once('error', () => resolve(true))
      .listen(port, '127.0.0.1', () => probe.close(() => resolve(false)));
  });
}
