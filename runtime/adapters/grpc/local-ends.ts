import type { NodeId } from '../../../core/contract/ids.ts';
import type { LeaseKey } from '../../../core/session/lease.ts';
import type { Push, PushOutcome } from '../../../core/session/push.ts';
import type { ServiceReply, ServiceRequest } from '../../../core/session/service-call.ts';
import type { GatewayEnd, RelayEnd, ReplyEnd, ServiceEnd, WorkerEnd } from '../../ports/node-links.ts';
import type { LinkCounters } from './link-counters.ts';

/** The roles of this process, by the nodes' names: where items end, from peers and from each other. */
export class LocalEnds {
  readonly callers = new Map<NodeId, ReplyEnd>();
  readonly gateways = new Map<NodeId, GatewayEnd>();
  readonly workers = new Map<NodeId, WorkerEnd>();
  service: ServiceEnd | undefined;
  relay: RelayEnd | undefined;
  readonly #counters: LinkCounters;

  constructor(counters: LinkCounters) {
    this.#counters = counters;
  }

  request(request: ServiceRequest): void {
    if (this.service === undefined) this.#missing();
    else this.service.request(request);
  }

  reply(node: NodeId, reply: ServiceReply): void {
    const end = this.gateways.get(node) ?? this.callers.get(node);
    if (end === undefined) this.#missing();
    else end.reply(reply);
  }

  /** @returns false when no such gateway is here (any more). */
  push(node: NodeId, push: Push): boolean {
    const gateway = this.gateways.get(node);
    if (gateway === undefined) return false;
    gateway.push(push);
    return true;
  }

  pushed(worker: NodeId, pushId: number, outcome: PushOutcome | 'unreachable'): void {
    const end = this.workers.get(worker);
    if (end === undefined) this.#missing();
    else end.pushed(pushId, outcome);
  }

  evict(node: NodeId, device: LeaseKey, epoch: number): void {
    const gateway = this.gateways.get(node);
    if (gateway === undefined) this.#missing();
    else gateway.evict(device, epoch);
  }

  hint(): void {
    this.relay?.hint();
  }

  detach(node: NodeId): void {
    this.gateways.delete(node);
    this.workers.delete(node);
    this.callers.delete(node);
  }

  #missing(): void {
    this.#counters.dropped['no-receiver']++;
  }
}
