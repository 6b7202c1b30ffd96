import { hashText, keyedInt } from '../../core/contract/random.ts';
import type { ServiceRequest } from '../../core/session/service-call.ts';
import { FaultDial } from './fault-dial.ts';
import type { ServiceHost } from './service-host.ts';
import type { World } from './world.ts';

interface Sender {
  readonly index: number;
  readonly name: string;
}

interface Avoided {
  readonly until: number;
  readonly failures: number;
}
const MISROUTE_STREAM = 0x6d69_7372;
const MOST_DOUBLINGS = 4;

/**
 * Which message service a request goes to: the chat's own in its home region, by hash, or the next one while that one does not answer. The
 * request that found it out is lost; its device repeats it. Two services may so serve one chat at a time.
 */
export class RequestRouter {
  /** Requests that go to any service, per mille. */
  readonly misrouted = new FaultDial();
  readonly #world: World;
  #requests = 0;
  readonly #byRegion: readonly (readonly ServiceHost[])[];
  /** Services that are passed over, per (sender, service). */
  readonly #avoid = new Map<number, Avoided>();

  constructor(world: World, services: readonly ServiceHost[]) {
    this.#world = world;
    this.#byRegion = Array.from({ length: world.regions.count }, (_, region) =>
      services.filter((service) => service.regionIndex === region),
    );
  }

  send(from: Sender, request: ServiceRequest): void {
    const first = 'chatId' in request ? hashText(request.chatId) : hashText(request.userId);
    const home = this.#world.regions.homeOf('chatId' in request ? request.chatId : request.userId);
    const service = this.#choose(from, first, this.#byRegion[home]!);
    if (service === undefined) return;
    const key = this.#key(from, service);
    if (this.#world.sendInside(from, service, { kind: 'request', request })) {
      if (this.#avoid.size > 0) this.#avoid.delete(key);
      return;
    }
    this.#world.probes.hit('request.lost');
    // Longer each time: a circuit breaker that tries a dead service as often as a sick one would never let go of it.
    const failures = (this.#avoid.get(key)?.failures ?? 0) + 1;
    const span = this.#world.limits.requestTimeout * (1 << Math.min(failures - 1, MOST_DOUBLINGS));
    this.#avoid.set(key, { until: this.#world.engine.now + span, failures });
  }

  #choose(from: Sender, first: number, services: readonly ServiceHost[]): ServiceHost | undefined {
    const count = services.length;
    if (count === 0) return undefined;
    const misrouted = this.#misroute(services);
    if (misrouted !== undefined) return misrouted;
    for (let i = 0; i < count; i++) {
      const service = services[(first + i) % count]!;
      if (this.#avoid.size === 0) return service;
      const until = this.#avoid.get(this.#key(from, service))?.until;
      if (until === undefined || until <= this.#world.engine.now) {
        if (i > 0) this.#world.probes.hit('request.rerouted');
        return service;
      }
    }
    return services[first % count];
  }

  #misroute(services: readonly ServiceHost[]): ServiceHost | undefined {
    if (this.misrouted.value === 0) return undefined;
    const { seed } = this.#world;
    const key = this.#requests++;
    if (keyedInt(seed, MISROUTE_STREAM, key, 1_000) >= this.misrouted.value) return undefined;
    return services[keyedInt(seed, MISROUTE_STREAM, ~key, services.length)];
  }

  #key(from: Sender, service: ServiceHost): number {
    return from.index * 65_536 + service.index;
  }
}
