import type { ConnId, NodeId } from '../../core/contract/ids.ts';
import type { ServiceReply } from '../../core/session/service-call.ts';
import type { Op } from '../scenario.ts';
import type { World } from './world.ts';

type MemberOp = Extract<Op, { readonly op: 'add-member' | 'remove-member' }>;

/** The HTTP API as one caller among others: its calls take the gateways' way to the message service, and may be lost. */
export class ApiNode {
  readonly index: number;
  readonly name = 'api';
  readonly #world: World;

  constructor(world: World, index: number) {
    this.#world = world;
    this.index = index;
  }

  /** @param call numbers the call; its outcome is unknown until it is answered. */
  changeMember(op: MemberOp, call: number): void {
    const { chatIds, userIds, router } = this.#world;
    const chatId = chatIds[op.chat];
    if (chatId === undefined) return;
    const replyTo = { node: 'api' as NodeId, conn: call as ConnId };
    const request = { replyTo, userId: userIds[op.by]!, chatId, member: userIds[op.user]! };
    if (op.op === 'remove-member') router.send(this, { kind: 'remove-member', ...request });
    else router.send(this, { kind: 'set-member', ...request, role: op.role ?? 'member' });
  }

  answered(reply: ServiceReply): void {
    const { observers, probes, scenario, userIds } = this.#world;
    probes.hit(`api.${reply.kind}`);
    if (reply.kind !== 'member-changed') return;
    const op = scenario.ops[reply.conn] as MemberOp;
    const role = op.op === 'remove-member' ? undefined : (op.role ?? 'member');
    observers.changeConfirmed({ chatId: reply.chatId, userId: userIds[op.user]!, role, askedAt: op.at });
  }
}
