import { assertNever } from '../../core/contract/assert.ts';
import type { NodeId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { DeliveryItem } from '../../core/contract/records.ts';
import type { DeliveryWorkerEffect } from '../../core/delivery/delivery-effect.ts';
import type { DeliveryTimer, DeliveryWorkerEvent } from '../../core/delivery/delivery-event.ts';
import { createDeliveryWorker, stepDeliveryWorker } from '../../core/delivery/delivery-worker.ts';
import type { Push, PushOutcome } from '../../core/session/push.ts';
import { createMachineDriver, systemClock, type Halt } from '../driver/machine-driver.ts';
import { createWakeTimers } from '../driver/wake-timers.ts';
import { createAwaitedPushes } from '../observability/awaited-pushes.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { DeliveryQueue, TracedRecord } from '../ports/delivery-queue.ts';
import type { NodeLinks } from '../ports/node-links.ts';
import type { SessionRegistry } from '../ports/session-registry.ts';
import type { Recording } from '../recording/machine-recorder.ts';

export interface DeliveryWorkerShell {
  /** Pushes whose answer is awaited; answers may be lost. */
  readonly inFlight: number;
  /** Takes no more events; pushes that are under way may be answered. */
  quiesce(): void;
  stop(): void;
}

export interface DeliveryWorkerOptions {
  readonly nodeId: NodeId;
  readonly limits: Limits;
  readonly seed: number;
  readonly queue: DeliveryQueue;
  readonly registry: SessionRegistry;
  readonly links: NodeLinks;
  readonly metrics: Metrics;
  readonly halt: Halt;
  readonly recording?: Recording | undefined;
}

/** Runs a delivery worker: from the delivery queue to the gateways that hold the recipients' devices. */
export function startDeliveryWorker(options: DeliveryWorkerOptions): DeliveryWorkerShell {
  const { nodeId, limits, seed, queue, registry, links, metrics, halt, recording } = options;
  const made = { nodeId, limits, seed };
  const state = createDeliveryWorker(made);
  const traces: ItemTraces = new WeakMap();
  const latency = createPushLatency(metrics, traces);
  let quiet = false;

  const driver = createMachineDriver<DeliveryWorkerEvent, DeliveryWorkerEffect>({
    machine: 'delivery-worker',
    step: (event, now) => stepDeliveryWorker(state, event, now),
    carryOut: (effects) => effects.forEach(carryOut),
    clock: systemClock,
    halt,
    recorder: recording?.machine('delivery-worker', made),
  });
  const timers = createWakeTimers<DeliveryTimer>((timer) => driver.dispatch({ kind: 'wake', timer }));

  function carryOut(effect: DeliveryWorkerEffect): void {
    switch (effect.kind) {
      case 'lookup':
        return registry.lookup(effect.users, (users) =>
          driver.dispatch({ kind: 'sessions', call: effect.call, users }),
        );
      case 'push':
        latency.pushed(effect.push);
        return links.push(effect.gatewayId, effect.push);
      case 'mark-missed':
        return registry.markMissed(effect.keys, (ok) =>
          driver.dispatch({ kind: 'marked', call: effect.call, ok }),
        );
      case 'commit':
        return membership.commit(effect.partition, effect.generation, effect.offset);
      case 'pause':
        return membership.pause();
      case 'resume':
        return quiet ? undefined : membership.resume();
      case 'wake':
        return timers.set(effect.timer, undefined, effect.after);
      default:
        return assertNever(effect);
    }
  }

  links.attachWorker(nodeId, {
    pushed(pushId, outcome) {
      latency.answered(pushId, outcome);
      driver.dispatch({ kind: 'pushed', pushId, outcome });
    },
  });
  const membership = queue.join({
    assigned: (partition, generation, offset) =>
      driver.dispatch({ kind: 'assigned', partition, generation, offset }),
    revoked: (partition) => driver.dispatch({ kind: 'revoked', partition }),
    records(partition, generation, records) {
      noteTraces(traces, records);
      driver.dispatch({ kind: 'records', partition, generation, records });
    },
  });
  return {
    get inFlight() {
      return latency.waiting;
    },
    quiesce() {
      quiet = true;
      membership.pause();
    },
    stop() {
      membership.leave();
      timers.stop();
      links.detach(nodeId);
    },
  };
}

interface PushLatency {
  pushed(push: Push): void;
  answered(pushId: number, outcome: PushOutcome | 'unreachable'): void;
  readonly waiting: number;
}

/** @param traces the contexts that messages came with. */
function createPushLatency(metrics: Metrics, traces: ItemTraces): PushLatency {
  const pushes = createAwaitedPushes<number>();
  return {
    get waiting() {
      return pushes.size;
    },
    pushed: (push) => pushes.begun(push.pushId, push),
    answered(pushId, outcome) {
      metrics.deliveries.inc({ outcome });
      const push = pushes.ended(pushId);
      if (push === undefined || outcome !== 'settled') return;
      metrics.deliverySeconds.observe((systemClock() - push.sentAt) / 1e6);
      metrics.messageStages.over('deliver', push.clientMsgId, push.begin, undefined, traces.get(push.item));
    },
  };
}

/** The core hands on the item that it was handed: what came beside it is found by it, and goes with it. */
type ItemTraces = WeakMap<DeliveryItem, string>;

function noteTraces(traces: ItemTraces, records: readonly TracedRecord[]): void {
  for (const { event, traceparent } of records)
    if (traceparent !== undefined) traces.set(event.item, traceparent);
}
