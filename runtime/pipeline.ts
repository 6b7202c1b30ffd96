import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { NodeId } from '../core/contract/ids.ts';
import type { Limits } from '../core/contract/limits.ts';
import type { Placement } from '../core/contract/placement.ts';
import { startDeliveryWorker } from './delivery-worker/delivery-worker-shell.ts';
import type { Halt } from './driver/machine-driver.ts';
import { within } from './driver/within.ts';
import { startGateway, type GatewayShell } from './gateway/gateway-shell.ts';
import { createServiceCalls, type ServiceCalls } from './http-api/service-calls.ts';
import { startMessageService } from './message-service/message-service-shell.ts';
import type { Metrics } from './observability/metrics.ts';
import { startShardRelays } from './outbox-relay/shard-relays.ts';
import type { Recording } from './recording/machine-recorder.ts';
import { requirePort, type PipelinePorts, type Stage } from './pipeline-ports.ts';

export interface PipelineOptions {
  /** What this process does; the other stages run elsewhere. */
  readonly stages: readonly Stage[];
  /** The name under which a stage of this process is reached. */
  readonly nodeOf: (stage: Stage) => NodeId;
  readonly ports: PipelinePorts;
  readonly limits: Limits;
  readonly placement: Placement;
  readonly region: string;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly halt: Halt;
  /** Writes down what the machines of this process are told. */
  readonly recording?: Recording | undefined;
}

/** The stages of one process. */
export interface Pipeline {
  readonly gateway: GatewayShell | undefined;
  readonly service: ServiceCalls | undefined;
  /** Sends devices elsewhere and finishes what is under way; nothing is accepted afterwards. */
  drain(): Promise<void>;
  /** Lets go of timers, sockets and outboxes at once. */
  stop(): Promise<void>;
}

/** How long a drain waits for the engines to answer what is under way. */
const FINISH_MS = 3_000;

/**
 * Wires the stages in the order in which a message passes them; all of them in one process, or one process each.
 * @throws Error when the store cannot give this process a number.
 */
export async function startPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { stages, nodeOf, ports, limits, metrics } = options;
  const { links } = ports;
  const shared = { ...options, seed: randomInt(2 ** 32), links };
  const runs = (stage: Stage): boolean => stages.includes(stage);

  // device -> gateway
  const gateway = runs('gateway')
    ? startGateway({
        ...shared,
        nodeId: nodeOf('gateway'),
        store: requirePort(ports, 'store'),
        registry: requirePort(ports, 'registry'),
      })
    : undefined;

  // people's other requests -> HTTP API
  const service = runs('http-api')
    ? createServiceCalls(nodeOf('http-api'), links, limits.requestTimeout)
    : undefined;

  // gateway -> message service -> store: message row and outbox row in one transaction, then the ACK.
  const sequencer = runs('message-service')
    ? startMessageService({
        ...shared,
        nodeId: nodeOf('message-service'),
        // Makes the ids that this run gives its own, whatever an earlier run of the same name gave.
        instance: await requirePort(ports, 'store').claimInstance(),
        store: requirePort(ports, 'store'),
        queue: requirePort(ports, 'queue'),
      })
    : undefined;

  // outbox -> delivery queue
  const relays = runs('outbox-relay')
    ? startShardRelays({
        ...shared,
        outboxes: requirePort(ports, 'outboxes'),
        queue: requirePort(ports, 'queue'),
      })
    : undefined;
  if (relays !== undefined) links.attachRelay(relays);

  // delivery queue -> session registry -> gateway -> device
  const worker = runs('delivery-worker')
    ? startDeliveryWorker({
        ...shared,
        nodeId: nodeOf('delivery-worker'),
        queue: requirePort(ports, 'queue'),
        registry: requirePort(ports, 'registry'),
      })
    : undefined;

  if (sequencer !== undefined)
    metrics.gauge(
      'parley_store_calls_in_flight',
      'Store calls of the message service',
      () => sequencer.inFlight,
    );
  if (relays !== undefined)
    metrics.gauge('parley_relay_shards', 'Outboxes that this process relays', () => relays.owned);
  const { queue } = ports;
  if (queue !== undefined)
    metrics.gauge('parley_delivery_queue_depth', 'Delivery events published and not finished', () =>
      queue.depth(),
    );

  const inFlight = (): number =>
    (service?.inFlight ?? 0) + (sequencer?.inFlight ?? 0) + (relays?.inFlight ?? 0) + (worker?.inFlight ?? 0);

  async function stop(): Promise<void> {
    service?.close();
    gateway?.stop();
    worker?.stop();
    sequencer?.stop();
    await relays?.stop();
  }

  return {
    gateway,
    service,
    async drain() {
      if (gateway !== undefined) await within(limits.drainTimeout / 1_000 + FINISH_MS, gateway.drain());
      service?.quiesce();
      relays?.quiesce();
      worker?.quiesce();
      for (let waited = 0; inFlight() > 0 && waited < FINISH_MS; waited += 10) await sleep(10);
      await stop();
    },
    stop,
  };
}
