import type { NodeId } from '../../core/contract/ids.ts';
import { keyedInt } from '../../core/contract/random.ts';
import type { ServiceRequest } from '../../core/session/service-call.ts';
import { createServiceRoutes, serviceFor, type ServiceRoutes } from '../../core/session/service-routes.ts';
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
 * Carries requests to the message services that the core chooses. A service that does not answer is passed over for a while;
 * the request that found it out is lost, and its device repeats it. Two services may so serve one chat at a time.
 */
export class RequestRouter {
  /** Requests that go to any service of the region, per mille. */
  readonly misrouted = new FaultDial();
  readonly #world: World;
  #requests = 0;
  readonly #routes: ServiceRoutes;
  readonly #services: ReadonlyMap<NodeId, ServiceHost>;
  /** Services that are passed over, per (sender, service). */
  readonly #avoid = new Map<number, Avoided>();
  #from: Sender | undefined;

  constructor(world: World, services: readonly ServiceHost[]) {
    this.#world = world;
    this.#services = new Map(services.map((service) => [service.nodeId, service]));
    const { regions } = world;
    this.#routes = createServiceRoutes(
      regions.placement,
      services.map(({ nodeId, regionIndex }) => ({ nodeId, region: regions.nameOf(regionIndex) })),
    );
  }

  send(from: Sender, request: ServiceRequest): void {
    const service = this.#choose(from, request);
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

  #choose(from: Sender, request: ServiceRequest): ServiceHost | undefined {
    this.#from = from;
    const chosen = serviceFor(this.#routes, request, this.#isUsable);
    const service = chosen === undefined ? undefined : this.#services.get(chosen);
    return service === undefined ? undefined : (this.#misroute(service) ?? service);
  }

  readonly #isUsable = (node: NodeId): boolean => {
    if (this.#avoid.size === 0) return true;
    const until = this.#avoid.get(this.#key(this.#from!, this.#services.get(node)!))?.until;
    if (until === undefined || until <= this.#world.engine.now) return true;
    this.#world.probes.hit('request.rerouted');
    return false;
  };

  #misroute({ regionIndex }: ServiceHost): ServiceHost | undefined {
    if (this.misrouted.value === 0) return undefined;
    const { seed } = this.#world;
    const key = this.#requests++;
    if (keyedInt(seed, MISROUTE_STREAM, key, 1_000) >= this.misrouted.value) return undefined;
    const others = [...this.#services.values()].filter((service) => service.regionIndex === regionIndex);
    return others[keyedInt(seed, MISROUTE_STREAM, ~key, others.length)];
  }

  #key(from: Sender, service: ServiceHost): number {
    return from.index * 65_536 + service.index;
  }
}
