import type { NodeId } from '../../core/contract/ids.ts';
import type { LeaseKey } from '../../core/session/lease.ts';
import type { Push, PushOutcome } from '../../core/session/push.ts';
import type { ServiceReply, ServiceRequest } from '../../core/session/service-call.ts';

/**
 * How the roles reach each other by name. Anything sent here may be lost: the machines repeat requests, workers give
 * up on pushes that nobody answers, and devices resend and resume.
 */
export interface NodeLinks {
  /** To a message service in the region of the request's chat; requests of one sender to one chat stay in order. */
  request(request: ServiceRequest): void;
  /** To the gateway or API that asked. */
  reply(node: NodeId, reply: ServiceReply): void;
  /** Pushes to one gateway stay in order. Answered by `pushResult`, or by `unreachable` when nobody can be asked. */
  push(gatewayId: NodeId, push: Push): void;
  pushResult(worker: NodeId, pushId: number, outcome: PushOutcome | 'unreachable'): void;
  evict(gatewayId: NodeId, device: LeaseKey, epoch: number): void;
  /** Rows were committed in this region: its relays may read the outbox before they would anyway. */
  hintRelays(): void;

  attachService(service: ServiceEnd): void;
  attachGateway(node: NodeId, gateway: GatewayEnd): void;
  attachWorker(node: NodeId, worker: WorkerEnd): void;
  /** An HTTP API takes replies only. */
  attachCaller(node: NodeId, caller: ReplyEnd): void;
  attachRelay(relay: RelayEnd): void;
  detach(node: NodeId): void;
}

export interface ServiceEnd {
  request(request: ServiceRequest): void;
}
export interface ReplyEnd {
  reply(reply: ServiceReply): void;
}
export interface GatewayEnd extends ReplyEnd {
  push(push: Push): void;
  evict(device: LeaseKey, epoch: number): void;
}
export interface WorkerEnd {
  pushed(pushId: number, outcome: PushOutcome | 'unreachable'): void;
}
export interface RelayEnd {
  hint(): void;
}
