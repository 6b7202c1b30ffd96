import type { NodeId } from '../../../core/contract/ids.ts';
import type { Placement } from '../../../core/contract/placement.ts';
import { createServiceRoutes, type ServiceRoutes } from '../../../core/session/service-routes.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';

/**
 * Whom requests and hints may go to: the nodes of the directory, and those it has forgotten while their link is up. A link
 * says more than a directory that missed some heartbeats of a busy process, or lost them.
 */
export class KnownNodes {
  readonly #placement: Placement;
  readonly #self: Pick<NodeRecord, 'nodeId' | 'region'>;
  readonly #directory: NodeDirectory;
  readonly #isLinked: (node: NodeId) => boolean;
  #records: ReadonlyMap<NodeId, NodeRecord> = new Map();
  #relays: readonly NodeId[] = [];
  #routes: ServiceRoutes;

  constructor(options: {
    readonly self: Pick<NodeRecord, 'nodeId' | 'region'>;
    readonly directory: NodeDirectory;
    readonly placement: Placement;
    /** Whether a link to it is up, and it has not said that it leaves. */
    readonly isLinked: (node: NodeId) => boolean;
  }) {
    this.#self = options.self;
    this.#directory = options.directory;
    this.#isLinked = options.isLinked;
    this.#placement = options.placement;
    this.#routes = createServiceRoutes(options.placement, []);
  }

  get routes(): ServiceRoutes {
    return this.#routes;
  }

  /** Of this region, in other processes. */
  get relays(): readonly NodeId[] {
    return this.#relays;
  }

  /** Takes the directory's view over. */
  read(): void {
    const records = new Map(this.#directory.view());
    for (const [id, record] of this.#records) {
      if (!records.has(id) && this.#isLinked(id)) records.set(id, record);
    }
    this.#records = records;
    const services = [...records.values()].filter(({ role }) => role === 'message-service' || role === 'all');
    this.#routes = createServiceRoutes(this.#placement, services);
    this.#relays = [...records.values()].filter((node) => this.#isRelay(node)).map(({ nodeId }) => nodeId);
  }

  /** The last link to a node has ended. */
  unlinked(node: NodeId): void {
    if (this.#records.has(node) && !this.#directory.view().has(node)) this.read();
  }

  #isRelay({ nodeId, role, region }: NodeRecord): boolean {
    const { nodeId: own, region: here } = this.#self;
    return (role === 'outbox-relay' || role === 'all') && region === here && nodeId !== own;
  }
}
