/**
 * Rare branches that a campaign must reach: each is counted under its name, "store.unknown.applied". A probe that no run
 * of a campaign reached is red, since what was never reached was never tested.
 */
export class Probes {
  readonly counts = new Map<string, number>();

  hit(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }
}
