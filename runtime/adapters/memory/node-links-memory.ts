import type { NodeId } from '../../../core/contract/ids.ts';
import type {
  GatewayEnd,
  NodeLinks,
  RelayEnd,
  ReplyEnd,
  ServiceEnd,
  WorkerEnd,
} from '../../ports/node-links.ts';

/** Links between roles of one process: a call is a call. What has no receiver is lost, as on any network. */
export function createMemoryNodeLinks(): NodeLinks {
  const callers = new Map<NodeId, ReplyEnd>();
  const gateways = new Map<NodeId, GatewayEnd>();
  const workers = new Map<NodeId, WorkerEnd>();
  let service: ServiceEnd | undefined;
  let relay: RelayEnd | undefined;

  return {
    request: (request) => service?.request(request),
    reply: (node, reply) => (gateways.get(node) ?? callers.get(node))?.reply(reply),
    push(gatewayId, push) {
      const gateway = gateways.get(gatewayId);
      if (gateway === undefined) workers.get(push.worker)?.pushed(push.pushId, 'unreachable');
      else gateway.push(push);
    },
    pushResult: (worker, pushId, outcome) => workers.get(worker)?.pushed(pushId, outcome),
    evict: (gatewayId, device, epoch) => gateways.get(gatewayId)?.evict(device, epoch),
    hintRelays: () => relay?.hint(),

    attachService(end) {
      service = end;
    },
    attachGateway: (node, end) => void gateways.set(node, end),
    attachWorker: (node, end) => void workers.set(node, end),
    attachCaller: (node, end) => void callers.set(node, end),
    attachRelay(end) {
      relay = end;
    },
    detach(node) {
      gateways.delete(node);
      workers.delete(node);
      callers.delete(node);
    },
  };
}
