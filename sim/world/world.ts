/** The simulated system: hosts of machines, models of engines, and the network between them. */
export interface World {
  readonly now: number;
}
