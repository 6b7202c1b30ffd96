import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { nodeId } from '../core/contract/ids.ts';
import type { Limits } from '../core/contract/limits.ts';
import { onePlacement } from '../core/contract/placement.ts';
import { createMemoryDeliveryQueue } from './adapters/memory/delivery-queue-memory.ts';
import { createMemoryNodeLinks } from './adapters/memory/node-links-memory.ts';
import { createMemorySessionRegistry } from './adapters/memory/session-registry-memory.ts';
import { startDeliveryWorker } from './delivery-worker/delivery-worker-shell.ts';
import { systemClock, type Halt } from './driver/machine-driver.ts';
import { startGateway } from './gateway/gateway-shell.ts';
import type { PollSessions } from './gateway/poll-sessions.ts';
import type { AcceptedSocket } from './gateway/upgrade.ts';
import { createServiceCalls, type ServiceCalls } from './http-api/service-calls.ts';
import { startMessageService } from './message-service/message-service-shell.ts';
import type { Metrics } from './observability/metrics.ts';
import { startRelay } from './outbox-relay/relay-shell.ts';
import type { MessageStore } from './ports/message-store.ts';

export interface PipelineOptions {
  readonly store: MessageStore;
  readonly limits: Limits;
  readonly region: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly halt: Halt;
}

/** All roles of one process, wired in the order in which a message passes them. */
export interface Pipeline {
  readonly accept: (accepted: AcceptedSocket) => void;
  readonly polls: PollSessions;
  readonly service: ServiceCalls;
  /** Sends devices elsewhere and finishes what is under way; nothing is accepted afterwards. */
  drain(): Promise<void>;
  /** Lets go of timers and sockets at once. */
  stop(): void;
}

/** How long a drain waits for the store to answer what is under way. */
const FINISH_MS = 5_000;

/** @throws Error when the store cannot name this process. */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { store, limits, region, metrics } = options;
  // The number of this run makes every name below unique: what an earlier run said under its own name is not ours.
  const instance = await store.claimInstance();
  const node = (role: string) => nodeId(`${role}-${instance}`);
  const links = createMemoryNodeLinks();
  const registry = createMemorySessionRegistry(systemClock);
  const queue = createMemoryDeliveryQueue();
  const placement = onePlacement(region);
  const shared = { ...options, placement, seed: randomInt(2 ** 32), links, registry, queue };

  // device -> gateway
  const gateway = startGateway({ ...shared, nodeId: node('gateway'), region });
  // gateway -> message service -> store: message row and outbox row in one transaction, then the ACK.
  const sequencer = startMessageService({ ...shared, nodeId: node('service'), instance });
  const service = createServiceCalls(node('http'), links, limits.requestTimeout);
  // outbox -> delivery queue
  const relay = startRelay(shared);
  // delivery queue -> session registry -> gateway -> device
  const worker = startDeliveryWorker({ ...shared, nodeId: node('worker') });

  metrics.gauge('parley_delivery_queue_depth', 'Delivery events published and not finished', () =>
    queue.depth(),
  );
  metrics.gauge(
    'parley_store_calls_in_flight',
    'Store calls of the message service',
    () => sequencer.inFlight,
  );

  function stop(): void {
    service.close();
    gateway.stop();
    worker.stop();
    relay.stop();
    sequencer.stop();
    queue.close();
    registry.close();
  }

  return {
    accept: gateway.accept,
    polls: gateway.polls,
    service,
    async drain() {
      await Promise.race([
        gateway.drain(),
        sleep(limits.drainTimeout / 1_000 + FINISH_MS, undefined, { ref: false }),
      ]);
      for (let waited = 0; sequencer.inFlight > 0 && waited < FINISH_MS; waited += 10) await sleep(10);
      stop();
    },
    stop,
  };
}
