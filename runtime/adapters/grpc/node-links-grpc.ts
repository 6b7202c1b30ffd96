import type { Logger } from 'pino';
import type { NodeId } from '../../../core/contract/ids.ts';
import type { Placement } from '../../../core/contract/placement.ts';
import type { ServiceRequest } from '../../../core/session/service-call.ts';
import { serviceFor } from '../../../core/session/service-routes.ts';
import type { Metrics } from '../../observability/metrics.ts';
import type { NodeDirectory, NodeRecord } from '../../ports/node-directory.ts';
import type { NodeLinks } from '../../ports/node-links.ts';
import { processOf } from '../../ports/process-id.ts';
import { createLinkCounters, exportLinkCounters, type LinkCounters } from './link-counters.ts';
import {
  createPushEncoder,
  encodeEvict,
  encodePushResult,
  encodeReply,
  encodeRequest,
  HINT,
  partOf,
} from './link-items.ts';
import { HeldRequests } from './held-requests.ts';
import { createHintPace } from './hint-pace.ts';
import { KnownNodes } from './known-nodes.ts';
import { DEFAULT_LINK_LIMITS, type LinkLimits } from './link-limits.ts';
import { LinkPeers } from './link-peers.ts';
import type { LinkSecurity } from './link-security.ts';
import { LocalEnds } from './local-ends.ts';

export interface GrpcLinksOptions {
  /** Without its address, which follows from `listen` and `advertise`. */
  readonly self: Omit<NodeRecord, 'address' | 'startedAt'>;
  /** Port 0 for a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The `host:port` under which others reach this process; where it listens when undefined. */
  readonly advertise?: string | undefined;
  readonly security: LinkSecurity;
  readonly directory: NodeDirectory;
  readonly placement: Placement;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly limits?: LinkLimits;
}

export interface GrpcNodeLinks extends NodeLinks {
  /** Under which others reach this process. */
  readonly address: string;
  /** Where it listens: `host:port`. */
  readonly listening: string;
  /** For tests and the doctor: the numbers behind the metrics. */
  readonly counters: LinkCounters;
  /** Withdraws from the directory and asks peers for no new requests; what is under way goes on. */
  leave(): Promise<void>;
  /** Leaves, waits a moment for what has been said to be taken, and ends every stream. */
  close(): Promise<void>;
}

/**
 * Links between roles in processes of their own (docs/links.md): one gRPC stream for each pair of processes that have
 * something to say, opened with the first item and kept. Nothing here waits for a peer: what a peer does not take waits
 * in its own bounded queue, and beyond that is dropped or answered `unreachable`, as the port allows.
 * @throws Error when the certificate files cannot be used, or the port cannot be had.
 */
export async function startGrpcNodeLinks(options: GrpcLinksOptions): Promise<GrpcNodeLinks> {
  const { self, directory, placement, metrics } = options;
  const limits = options.limits ?? DEFAULT_LINK_LIMITS;
  const counters = createLinkCounters();
  const ends = new LocalEnds(counters);
  const peers = await LinkPeers.start({
    ...options,
    limits,
    counters,
    ends,
    lost: (node) => nodes.unlinked(node),
  });
  const nodes = new KnownNodes({ self, directory, placement, isLinked: (node) => peers.isWith(node) });
  const usable = (node: NodeId): boolean => node === self.nodeId || peers.takesRequests(node);
  const pass = (request: ServiceRequest): boolean => {
    const service = serviceFor(nodes.routes, request, usable);
    if (service === undefined) return false;
    if (service === self.nodeId) ends.request(request);
    else peers.find(service)?.say('request', encodeRequest(request));
    return true;
  };
  const held = new HeldRequests({
    limit: limits.heldRequests,
    holdMs: limits.holdMs,
    pass,
    drop: () => counters.dropped['no-service']++,
  });
  const readView = (): void => {
    nodes.read();
    held.retry();
    peers.forgetGone();
  };
  const stopReading = directory.onChange(readView);
  readView();
  const hints = createHintPace(limits.hintMs, () => {
    for (const relay of nodes.relays) peers.find(relay)?.say('hint', HINT);
  });
  exportLinkCounters(counters, metrics, peers.gauges);
  directory.announce({ ...self, address: options.advertise ?? peers.listening, startedAt: Date.now() });

  const encodePush = createPushEncoder();
  const isHere = (node: NodeId): boolean => processOf(node) === self.nodeId;
  const own = <End>(ends_: Map<NodeId, End>, node: NodeId, end: End): void => {
    if (!isHere(node)) throw new Error(`node ${node} is not of process ${self.nodeId}`);
    ends_.set(node, end);
  };

  return {
    address: options.advertise ?? peers.listening,
    listening: peers.listening,
    counters,
    request(request) {
      if (pass(request)) return;
      directory.seek();
      held.hold(request);
    },
    reply(node, reply) {
      if (isHere(node)) ends.reply(node, reply);
      else peers.find(processOf(node))?.say('reply', encodeReply(partOf(node), reply));
    },
    push(gatewayId, push) {
      const { worker, pushId, item } = push;
      if (isHere(gatewayId)) {
        if (!ends.push(gatewayId, push)) ends.pushed(worker, pushId, 'unreachable');
        return;
      }
      const expectsAnswer = item.kind !== 'typing';
      const peer = peers.find(processOf(gatewayId));
      if (peer !== undefined) peer.push(encodePush(partOf(gatewayId), push), worker, pushId, expectsAnswer);
      else if (expectsAnswer) {
        counters.ends.unreachable++;
        ends.pushed(worker, pushId, 'unreachable');
      }
    },
    pushResult(worker, pushId, outcome) {
      if (isHere(worker)) ends.pushed(worker, pushId, outcome);
      else
        peers.find(processOf(worker))?.say('push-result', encodePushResult(partOf(worker), pushId, outcome));
    },
    evict(gatewayId, device, epoch) {
      if (isHere(gatewayId)) ends.evict(gatewayId, device, epoch);
      else peers.find(processOf(gatewayId))?.say('evict', encodeEvict(partOf(gatewayId), device, epoch));
    },
    hintRelays() {
      ends.hint();
      if (nodes.relays.length > 0) hints.ask();
    },
    attachService(end) {
      ends.service = end;
    },
    attachGateway: (node, end) => own(ends.gateways, node, end),
    attachWorker: (node, end) => own(ends.workers, node, end),
    attachCaller: (node, end) => own(ends.callers, node, end),
    attachRelay(end) {
      ends.relay = end;
    },
    detach: (node) => ends.detach(node),
    leave() {
      peers.leave();
      return directory.withdraw();
    },
    async close() {
      stopReading();
      hints.stop();
      held.close();
      peers.leave();
      await directory.withdraw();
      await peers.close();
    },
  };
}
