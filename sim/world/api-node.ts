import type { ConnId, NodeId, UserId } from '../../core/contract/ids.ts';
import type { ServiceReply } from '../../core/session/service-call.ts';
import type { World } from './world.ts';

type MemberOp = 'set-member' | 'remove-member';

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
  changeMember(kind: MemberOp, by: UserId, member: UserId, chat: number, call: number): void {
    const world = this.#world;
    const chatId = world.chatIds[chat];
    if (chatId === undefined) return;
    const replyTo = { node: 'api' as NodeId, conn: call as ConnId };
    const request = { replyTo, userId: by, chatId, member };
    const full = kind === 'set-member' ? { kind, ...request, role: 'member' as const } : { kind, ...request };
    world.router.send(this, full);
  }

  answered(reply: ServiceReply): void {
    this.#world.probes.hit(`api.${reply.kind}`);
  }
}
