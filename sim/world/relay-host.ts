import { assertNever } from '../../core/contract/assert.ts';
import { createRelay, stepRelay } from '../../core/fan-out/relay.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { RelayEvent, RelayTimer } from '../../core/fan-out/relay-event.ts';
import { Host } from './host.ts';
import { Timer } from './timer.ts';
import type { World } from './world.ts';

const HINT = { kind: 'hint' } as const;

/** An outbox relay. */
export class RelayHost extends Host {
  /** A hint is on its way: a second one would say the same. */
  hinted = false;
  #machine: ReturnType<typeof createRelay> | undefined;
  readonly #timers: Record<RelayTimer, Timer>;

  constructor(world: World, index: number, name: string) {
    super(world, index, name);
    this.#timers = {
      poll: new Timer(this, { kind: 'wake', timer: 'poll' }),
      retry: new Timer(this, { kind: 'wake', timer: 'retry' }),
      counts: new Timer(this, { kind: 'wake', timer: 'counts' }),
    };
  }

  get machine(): ReturnType<typeof createRelay> | undefined {
    return this.#machine;
  }

  protected boot(): void {
    const { limits, seed } = this.world;
    this.#machine = createRelay({ limits, seed });
    this.handle(HINT);
  }

  protected lose(): void {
    this.#machine = undefined;
    this.hinted = false;
  }

  protected handle(payload: object): void {
    const event = payload as RelayEvent;
    if (event.kind === 'hint') this.hinted = false;
    const effects = stepRelay(this.#machine!, event, this.now());
    this.stepped(effects, this.#applyEffect);
  }

  readonly #applyEffect = (effect: RelayEffect): void => this.#apply(effect);

  #apply(effect: RelayEffect): void {
    const { world } = this;
    const { hash } = world.engine;
    switch (effect.kind) {
      case 'read-outbox':
      case 'read-members':
      case 'delete-outbox':
      case 'count-receipts':
        hash.mix(0x401 ^ (effect.call << 8));
        world.calls.store(this, effect);
        return;
      case 'publish':
        hash.mix(0x402 ^ (effect.events.length << 8));
        world.calls.queue(this, effect);
        return;
      case 'wake':
        hash.mix(0x403 ^ (effect.after << 8));
        this.arm(this.#timers[effect.timer], effect.after);
        return;
      default:
        assertNever(effect);
    }
  }
}
