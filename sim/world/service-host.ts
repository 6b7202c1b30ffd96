import { assertNever } from '../../core/contract/assert.ts';
import type { ChatId, UserId } from '../../core/contract/ids.ts';
import type { AppendResult } from '../../core/contract/store.ts';
import { createMessageService, stepMessageService } from '../../core/sequencing/message-service.ts';
import type { MessageServiceEffect } from '../../core/sequencing/message-service-effect.ts';
import type {
  MessageServiceEvent,
  MessageServiceTimer,
} from '../../core/sequencing/message-service-event.ts';
import { Host } from './host.ts';
import { Timer } from './timer.ts';
import type { World } from './world.ts';

type Service = ReturnType<typeof createMessageService>;

/** A message service. Each start claims an instance of its own from the store. */
export class ServiceHost extends Host {
  #machine: Service | undefined;
  readonly #timers: Record<MessageServiceTimer, Timer>;

  constructor(world: World, index: number, name: string) {
    super(world, index, name);
    this.#timers = {
      retry: new Timer(this, { kind: 'wake', timer: 'retry' }),
      receipts: new Timer(this, { kind: 'wake', timer: 'receipts' }),
    };
  }

  get machine(): Service | undefined {
    return this.#machine;
  }

  protected boot(): void {
    const { limits, seed } = this.world;
    this.#machine = createMessageService({
      nodeId: this.nodeId,
      instance: this.world.claimInstance(this.regionIndex),
      limits,
      seed,
      placement: this.world.regions.placement,
      region: this.world.regions.nameOf(this.regionIndex),
    });
  }

  protected lose(): void {
    this.#machine = undefined;
  }

  protected handle(payload: object): void {
    const event = payload as MessageServiceEvent;
    if (event.kind === 'appended') this.#count(event.result.outcome);
    const effects = stepMessageService(this.#machine!, event, this.now());
    this.stepped(effects, this.#applyEffect);
  }

  #count(outcome: AppendResult['outcome']): void {
    if (outcome === 'stale') this.world.probes.hit('sequencer.append.stale');
    else if (outcome === 'duplicate') this.world.probes.hit('sequencer.append.duplicate');
  }

  /** @returns whose request the machine has under way to the store for this chat. */
  #writerOf(chatId: ChatId): UserId {
    return this.#machine!.chats.get(chatId)!.writing[0]!.request.userId;
  }

  readonly #applyEffect = (effect: MessageServiceEffect): void => this.#apply(effect);

  #apply(effect: MessageServiceEffect): void {
    const { world } = this;
    const { hash } = world.engine;
    switch (effect.kind) {
      case 'append':
        hash.mix(0x301 ^ (effect.request.expectHead << 8));
        world.calls.store(this, effect);
        return;
      case 'load-chat': {
        hash.mix(0x302);
        const { chatId, sends } = effect.request;
        if (sends.length > 0) world.observers.readFor(this.nodeId, chatId, sends);
        world.calls.store(this, effect);
        return;
      }
      case 'create-chat':
        hash.mix(0x302);
        world.calls.store(this, effect);
        return;
      case 'change-member':
        hash.mix(0x302);
        world.calls.store(this, { ...effect, by: this.#writerOf(effect.request.chatId) });
        return;
      case 'save-receipts':
        hash.mix(0x303 ^ (effect.writes.length << 8));
        world.calls.store(this, effect);
        return;
      case 'reply': {
        hash.mix(0x304 ^ (effect.reply.kind === 'ack' ? effect.reply.seq << 8 : 0));
        const host = world.hostNamed(effect.node);
        if (host === undefined) world.api.answered(effect.reply);
        else world.sendInside(this, host, { kind: 'reply', reply: effect.reply });
        return;
      }
      case 'outbox-hint':
        hash.mix(0x305);
        world.hintRelays(this);
        return;
      case 'publish-transient':
        hash.mix(0x306);
        world.calls.queue(this, effect);
        return;
      case 'wake':
        hash.mix(0x307 ^ (effect.after << 8));
        this.arm(this.#timers[effect.timer], effect.after);
        return;
      default:
        assertNever(effect);
    }
  }
}
