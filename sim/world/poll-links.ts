import { PollClients } from './poll-clients.ts';
import { PollServers } from './poll-servers.ts';
import { PollTravel } from './poll-travel.ts';
import type { World } from './world.ts';

/**
 * Connections by long polling: their two ends, and the way between them. Each request travels on its own, so that requests
 * and answers overtake each other, and may be lost alone.
 */
export class PollLinks {
  readonly travel: PollTravel;
  readonly clients: PollClients;
  readonly servers: PollServers;

  /** @param wire every frame goes through the codec. */
  constructor(world: World, wire: boolean) {
    this.travel = new PollTravel(world);
    this.clients = new PollClients(world, this.travel, wire);
    this.servers = new PollServers(world, this.travel, wire);
  }
}
