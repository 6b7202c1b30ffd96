import { assertNever } from '../../core/contract/assert.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { DeliveryEvent, DeliveryItem } from '../../core/contract/records.ts';
import { MILLISECOND } from '../../core/contract/time.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { RelayEvent, RelayTimer } from '../../core/fan-out/relay-event.ts';
import { createRelay, stepRelay } from '../../core/fan-out/relay.ts';
import { createMachineDriver, systemClock, type Halt } from '../driver/machine-driver.ts';
import { createWakeTimers } from '../driver/wake-timers.ts';
import { stageClock } from '../observability/message-stages.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { DeliveryQueue } from '../ports/delivery-queue.ts';
import type { OutboxStore } from '../ports/outbox.ts';
import type { Recording } from '../recording/machine-recorder.ts';

export interface RelayShell {
  /** Rows were committed: the outbox may be read before it would be anyway. */
  hint(): void;
  /** Rows published or being deleted: 0 means that nothing is repeated by stopping now. */
  readonly inFlight: number;
  /** Reads no more rows; what was read goes on. */
  quiesce(): void;
  stop(): void;
}

export interface RelayOptions {
  readonly limits: Limits;
  readonly seed: number;
  readonly store: OutboxStore;
  readonly queue: DeliveryQueue;
  readonly metrics: Metrics;
  readonly halt: Halt;
  readonly recording?: Recording | undefined;
}

/** Runs the outbox relay: from one outbox to the delivery queue. */
export function startRelay({
  limits,
  seed,
  store,
  queue,
  metrics,
  halt,
  recording,
}: RelayOptions): RelayShell {
  const state = createRelay({ limits, seed });
  let inFlight = 0;
  let quiet = false;
  let stopped = false;
  const driver = createMachineDriver<RelayEvent, RelayEffect>({
    machine: 'outbox-relay',
    step: (event, now) => stepRelay(state, event, now),
    carryOut: (effects) => effects.forEach(carryOut),
    clock: systemClock,
    halt,
    recorder: recording?.machine('outbox-relay', { limits, seed }),
  });
  const timers = createWakeTimers<RelayTimer>((timer) => dispatch({ kind: 'wake', timer }));

  /** Another relay may own the outbox by now: answers that come late belong to nobody. */
  function dispatch(event: RelayEvent): void {
    if (!stopped) driver.dispatch(event);
  }
  function finished(event: RelayEvent): void {
    inFlight--;
    dispatch(event);
  }

  function carryOut(effect: RelayEffect): void {
    switch (effect.kind) {
      case 'read-outbox':
        if (quiet) return;
        return store.readOutbox(effect.request, (result) =>
          dispatch({ kind: 'outbox', call: effect.call, result }),
        );
      case 'read-members':
        return store.readMembers(effect.request, (result) =>
          dispatch({ kind: 'members', call: effect.call, result }),
        );
      case 'count-receipts':
        return store.countReceipts(effect.request, (result) =>
          dispatch({ kind: 'counted', call: effect.call, result }),
        );
      case 'publish': {
        const begin = stageClock();
        inFlight++;
        measure('outbox', effect.events);
        return queue.publish(effect.events, (outcome) => {
          if (outcome === 'ok') measure('publish', effect.events, begin);
          finished({ kind: 'published', call: effect.call, outcome });
        });
      }
      case 'delete-outbox':
        inFlight++;
        return store.deleteOutbox(effect.ids, (result) =>
          finished({ kind: 'deleted', call: effect.call, result }),
        );
      case 'wake':
        return timers.set(effect.timer, undefined, effect.after);
      default:
        return assertNever(effect);
    }
  }

  /** A message's events follow each other and share its item. */
  function measure(stage: 'outbox' | 'publish', events: readonly DeliveryEvent[], begin?: number): void {
    let last: DeliveryItem | undefined;
    for (const { item } of events) {
      if (item === last || item.kind !== 'message') continue;
      last = item;
      const { clientMsgId, sentAt } = item.message;
      metrics.messageStages.over(stage, clientMsgId, begin ?? sentAt / MILLISECOND);
    }
  }

  dispatch({ kind: 'hint' });
  return {
    hint: () => dispatch({ kind: 'hint' }),
    get inFlight() {
      return inFlight;
    },
    quiesce() {
      quiet = true;
    },
    stop() {
      stopped = true;
      timers.stop();
    },
  };
}
