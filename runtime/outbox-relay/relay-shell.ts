import { assertNever } from '../../core/contract/assert.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { RelayEvent, RelayTimer } from '../../core/fan-out/relay-event.ts';
import { createRelay, stepRelay } from '../../core/fan-out/relay.ts';
import { createMachineDriver, systemClock, type Halt } from '../driver/machine-driver.ts';
import { createWakeTimers } from '../driver/wake-timers.ts';
import type { DeliveryQueue } from '../ports/delivery-queue.ts';
import type { MessageStore } from '../ports/message-store.ts';
import type { NodeLinks } from '../ports/node-links.ts';

export interface RelayShell {
  stop(): void;
}

export interface RelayOptions {
  readonly limits: Limits;
  readonly seed: number;
  readonly store: MessageStore;
  readonly queue: DeliveryQueue;
  readonly links: NodeLinks;
  readonly halt: Halt;
}

/** Runs the outbox relay: from the store's outbox to the delivery queue. */
export function startRelay({ limits, seed, store, queue, links, halt }: RelayOptions): RelayShell {
  const state = createRelay({ limits, seed });
  const driver = createMachineDriver<RelayEvent, RelayEffect>({
    machine: 'outbox-relay',
    step: (event, now) => stepRelay(state, event, now),
    carryOut: (effects) => effects.forEach(carryOut),
    clock: systemClock,
    halt,
  });
  const timers = createWakeTimers<RelayTimer>((timer) => driver.dispatch({ kind: 'wake', timer }));

  function carryOut(effect: RelayEffect): void {
    switch (effect.kind) {
      case 'read-outbox':
        return store.readOutbox(effect.request, (result) =>
          driver.dispatch({ kind: 'outbox', call: effect.call, result }),
        );
      case 'read-members':
        return store.readMembers(effect.request, (result) =>
          driver.dispatch({ kind: 'members', call: effect.call, result }),
        );
      case 'publish':
        return queue.publish(effect.events, (outcome) =>
          driver.dispatch({ kind: 'published', call: effect.call, outcome }),
        );
      case 'delete-outbox':
        return store.deleteOutbox(effect.ids, (result) =>
          driver.dispatch({ kind: 'deleted', call: effect.call, result }),
        );
      case 'wake':
        return timers.set(effect.timer, undefined, effect.after);
      default:
        return assertNever(effect);
    }
  }

  const hint = (): void => driver.dispatch({ kind: 'hint' });
  links.attachRelay({ hint });
  hint();
  return { stop: () => timers.stop() };
}
