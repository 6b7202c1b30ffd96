import type { GatewayHost } from './gateway-host.ts';
import type { World } from './world.ts';

/** Health checks of a load balancer notice a dead node this late. Microseconds. */
const NOTICE_AFTER = 1_000_000;

/** Which gateway a connection attempt goes to: any that the health checks have not found dead, cut off or draining. */
export class LoadBalancer {
  readonly #world: World;
  readonly #gateways: readonly GatewayHost[];
  /** Since when a gateway fails its checks. */
  readonly #failingSince = new Map<GatewayHost, number>();

  constructor(world: World, gateways: readonly GatewayHost[]) {
    this.#world = world;
    this.#gateways = gateways;
  }

  /** @param key 32 bits that choose. @returns undefined when no gateway takes connections. */
  pick(key: number): GatewayHost | undefined {
    const candidates = this.#gateways.filter((gateway) => this.#isListed(gateway));
    return candidates.length === 0 ? undefined : candidates[key % candidates.length];
  }

  /** Whether the gateway could serve: the same check that its readiness answers. */
  isHealthy(gateway: GatewayHost): boolean {
    const { network } = this.#world;
    const store = this.#world.stores[gateway.regionIndex]!;
    if (!gateway.up || gateway.draining) return false;
    return (
      network.state(gateway.index, store.index) === 'open' &&
      network.state(store.index, gateway.index) === 'open'
    );
  }

  /** The health checks have run, long enough: whoever fails them now is sent nobody from now on. */
  notice(): void {
    for (const gateway of this.#gateways)
      if (!this.isHealthy(gateway)) this.#failingSince.set(gateway, -Infinity);
  }

  #isListed(gateway: GatewayHost): boolean {
    // A drain says so itself, the rest is noticed.
    if (gateway.draining) return false;
    if (this.isHealthy(gateway)) {
      this.#failingSince.delete(gateway);
      return true;
    }
    const since = this.#failingSince.get(gateway);
    if (since === undefined) this.#failingSince.set(gateway, this.#world.engine.now);
    return since === undefined || this.#world.engine.now - since < this.#world.paced(NOTICE_AFTER);
  }
}
