import { assertNever } from '../../core/contract/assert.ts';
import type { DeliveryWorkerEffect } from '../../core/delivery/delivery-effect.ts';
import type { DeliveryWorkerEvent } from '../../core/delivery/delivery-event.ts';
import { createDeliveryWorker, stepDeliveryWorker } from '../../core/delivery/delivery-worker.ts';
import { Host } from './host.ts';
import { Timer } from './timer.ts';
import type { World } from './world.ts';

/** A delivery worker: a consumer of the delivery queue. */
export class WorkerHost extends Host {
  /** As the queue's broker knows it: no records are handed out. */
  consumptionPaused = false;
  #machine: ReturnType<typeof createDeliveryWorker> | undefined;
  readonly #retry: Timer;

  constructor(world: World, index: number, name: string) {
    super(world, index, name);
    this.#retry = new Timer(this, { kind: 'wake', timer: 'retry' });
  }

  get machine(): ReturnType<typeof createDeliveryWorker> | undefined {
    return this.#machine;
  }

  /** It has stopped in order, and said so to the groups it was a member of. */
  leaveGroups(): void {
    this.world.leaveGroups(this);
  }

  protected boot(): void {
    const { limits, seed } = this.world;
    this.#machine = createDeliveryWorker({ nodeId: this.nodeId, limits, seed });
    this.world.membershipMayChange();
  }

  protected lose(): void {
    this.#machine = undefined;
    this.consumptionPaused = false;
    this.world.membershipMayChange();
  }

  protected handle(event: object): void {
    const effects = stepDeliveryWorker(this.#machine!, event as DeliveryWorkerEvent, this.now());
    this.stepped(effects, this.#applyEffect);
  }

  readonly #applyEffect = (effect: DeliveryWorkerEffect): void => this.#apply(effect);

  #apply(effect: DeliveryWorkerEffect): void {
    const { world } = this;
    const { hash } = world.engine;
    switch (effect.kind) {
      case 'lookup':
      case 'mark-missed':
        hash.mix(0x501 ^ (effect.call << 8));
        world.calls.registry(this, effect);
        return;
      case 'push': {
        hash.mix(0x502 ^ (effect.push.pushId << 8));
        const gateway = world.hostNamed(effect.gatewayId);
        const sent =
          gateway !== undefined && world.sendInside(this, gateway, { kind: 'push', push: effect.push });
        // Refused at once by a process that is not there; on a cut link nothing comes back and the worker gives up itself.
        if (!sent && gateway !== undefined && !gateway.up) this.#unreachable(effect.push.pushId);
        return;
      }
      case 'commit':
        hash.mix(0x503 ^ (effect.offset << 8));
        world.calls.queue(this, effect);
        return;
      case 'pause':
      case 'resume':
        // The consumer's own affair: it stops fetching, and asks nobody.
        hash.mix(0x504);
        this.consumptionPaused = effect.kind === 'pause';
        if (!this.consumptionPaused) world.pollAll();
        return;
      case 'wake':
        hash.mix(0x505 ^ (effect.after << 8));
        this.arm(this.#retry, effect.after);
        return;
      default:
        assertNever(effect);
    }
  }

  #unreachable(pushId: number): void {
    const { world } = this;
    world.probes.hit('push.refused');
    const backAndForth = 2 * world.network.delay(this.index, this.index);
    world.tell(this, { kind: 'pushed', pushId, outcome: 'unreachable' }, backAndForth);
  }
}
