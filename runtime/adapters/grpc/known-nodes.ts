import type { NodeId } from '../../../core/contract/ids.ts';
import type { Placement } from '../../../core/contract/placement.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';
import { ServiceRoutes } from './service-routes.ts';

/**
 * Whom requests and hints may go to: the nodes of the directory, and those it has forgotten while their link is up. A link
 * says more than a directory that missed some heartbeats of a busy process, or lost them.
 */
export class KnownNodes {
  readonly routes: ServiceRoutes;
  readonly #self: Pick<NodeRecord, 'nodeId' | 'region'>;
  readonly #directory: NodeDirectory;
  readonly #isLinked: (node: NodeId) => boolean;
  #records: ReadonlyMap<NodeId, NodeRecord> = new Map();
  #relays: readonly NodeId[] = [];

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
    this.routes = new ServiceRoutes(options.placement);
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
    this.routes.update(records.values());
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
