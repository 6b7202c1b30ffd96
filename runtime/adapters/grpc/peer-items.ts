import type { NodeId } from '../../../core/contract/ids.ts';
import type { LeaseKey } from '../../../core/session/lease.ts';
import type { Push, PushOutcome } from '../../../core/session/push.ts';
import type { ServiceReply, ServiceRequest } from '../../../core/session/service-call.ts';
import type { NodeRole } from '../../ports/node-directory.ts';
import { processOf } from '../../ports/process-id.ts';
import type { ItemKind, LinkCounters } from './link-counters.ts';
import { encodePushResult, partOf, type ItemSink } from './link-items.ts';
import type { LinkPeer } from './link-peer.ts';
import { maySay } from './link-permissions.ts';
import type { LocalEnds } from './local-ends.ts';

/** Hands what one peer says to the roles of this process, if its role may say it, and only in its own name. */
export class PeerItems implements ItemSink {
  readonly #peer: LinkPeer;
  readonly #role: NodeRole;
  readonly #self: NodeId;
  readonly #ends: LocalEnds;
  readonly #counters: LinkCounters;

  constructor(peer: LinkPeer, role: NodeRole, self: NodeId, ends: LocalEnds, counters: LinkCounters) {
    this.#peer = peer;
    this.#role = role;
    this.#self = self;
    this.#ends = ends;
    this.#counters = counters;
  }

  request(request: ServiceRequest): void {
    const from = 'replyTo' in request ? request.replyTo.node : undefined;
    if (this.#admits('request', from)) this.#ends.request(request);
  }

  reply(node: string, reply: ServiceReply): void {
    if (this.#admits('reply')) this.#ends.reply(this.#node(node), reply);
  }

  push(node: string, push: Push): void {
    if (!this.#admits('push', push.worker)) return;
    if (this.#ends.push(this.#node(node), push)) return;
    // The gateway has gone while its process lives on: the worker looks the device up again.
    this.#counters.dropped['no-receiver']++;
    this.#peer.say('push-result', encodePushResult(partOf(push.worker), push.pushId, 'unreachable'));
  }

  pushResult(node: string, pushId: number, outcome: PushOutcome | 'unreachable'): void {
    if (!this.#admits('push-result')) return;
    const worker = this.#node(node);
    // What is not waited for was answered `unreachable` before, or has timed out.
    if (this.#peer.answered(worker, pushId)) this.#ends.pushed(worker, pushId, outcome);
  }

  evict(node: string, device: LeaseKey, epoch: number): void {
    if (this.#admits('evict')) this.#ends.evict(this.#node(node), device, epoch);
  }

  hint(): void {
    if (this.#admits('hint')) this.#ends.hint();
  }

  leaving(): void {
    if (this.#admits('leaving')) this.#peer.leaving = true;
  }

  skipped(why: 'unknown-kind' | 'malformed'): void {
    this.#counters.dropped[why]++;
  }

  #node(part: string): NodeId {
    return part === '' ? this.#self : (`${this.#self}/${part}` as NodeId);
  }

  /** @param speaker the node in whose name the item speaks. */
  #admits(kind: ItemKind, speaker?: NodeId): boolean {
    if (maySay(this.#role, kind) && (speaker === undefined || processOf(speaker) === this.#peer.id)) {
      this.#counters.received[kind]++;
      return true;
    }
    this.#counters.dropped.forbidden++;
    return false;
  }
}
