import { hashText } from '../../core/contract/random.ts';
import type { ServiceRequest } from '../../core/session/service-call.ts';
import type { ServiceHost } from './service-host.ts';
import type { World } from './world.ts';

interface Sender {
  readonly index: number;
  readonly name: string;
}

/**
 * Which message service a request goes to: the chat's own, by hash, or the next one while that one does not answer. The
 * request that found it out is lost; its device repeats it. Two services may so serve one chat at a time.
 */
export class RequestRouter {
  readonly #world: World;
  readonly #services: readonly ServiceHost[];
  /** Until when a service is passed over, per (sender, service). */
  readonly #avoid = new Map<number, number>();

  constructor(world: World, services: readonly ServiceHost[]) {
    this.#world = world;
    this.#services = services;
  }

  send(from: Sender, request: ServiceRequest): void {
    const first = 'chatId' in request ? hashText(request.chatId) : hashText(request.userId);
    const service = this.#choose(from, first);
    if (service === undefined) return;
    if (this.#world.sendInside(from, service, { kind: 'request', request })) return;
    this.#world.probes.hit('request.lost');
    this.#avoid.set(this.#key(from, service), this.#world.engine.now + this.#world.limits.requestTimeout);
  }

  #choose(from: Sender, first: number): ServiceHost | undefined {
    const count = this.#services.length;
    if (count === 0) return undefined;
    for (let i = 0; i < count; i++) {
      const service = this.#services[(first + i) % count]!;
      if (this.#avoid.size === 0) return service;
      const until = this.#avoid.get(this.#key(from, service));
      if (until === undefined || until <= this.#world.engine.now) {
        if (i > 0) this.#world.probes.hit('request.rerouted');
        return service;
      }
    }
    return this.#services[first % count];
  }

  #key(from: Sender, service: ServiceHost): number {
    return from.index * 65_536 + service.index;
  }
}
