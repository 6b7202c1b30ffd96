import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { nodeId } from '../../../core/contract/ids.ts';
import { onePlacement } from '../../../core/contract/placement.ts';
import { createMetrics } from '../../observability/metrics.ts';
import { createMemoryNodeDirectory } from '../memory/node-directory-memory.ts';
import { makeDevelopmentCertificates } from './development-certificates.ts';
import type { LinkFiles } from './link-security.ts';
import { startGrpcNodeLinks, type GrpcNodeLinks } from './node-links-grpc.ts';
import { madePush } from './testing/link-items-made.ts';
import { spawnGateway } from './testing/spawn-gateway.ts';

export interface LinkBench {
  /** Pushes of 330 bytes and their answers, both counted. */
  readonly itemsPerSecond: number;
  readonly itemsPerBatch: number;
  /** Core time of this process, the half that pushes, for one item. */
  readonly microsPerItem: number;
  /** From saying a push to hearing its answer, milliseconds, at `paced` pushes a second. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly pacedPerSecond: number;
}

const WORKER = nodeId('worker-1.1');
const GATEWAY = nodeId('gateway-1.2');
/** Pushes on their way at once, when saturated. */
const WINDOW = 4_000;
const PACED_PER_SECOND = 5_000;

/**
 * Pushes over loopback with mutual TLS, from this process to another one that answers each.
 * @param seconds length of each of the two measurements.
 */
export async function benchLinks(seconds: number): Promise<LinkBench> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-bench-links-'));
  const files = await makeDevelopmentCertificates({
    folder,
    nodes: [
      { name: 'worker-1', role: 'delivery-worker' },
      { name: 'gateway-1', role: 'gateway' },
    ],
    now: Date.now(),
  });
  const gateway = await spawnGateway(GATEWAY, files.get('gateway-1') as LinkFiles);
  const nodes = createMemoryNodeDirectory();
  const links = await startGrpcNodeLinks({
    self: { nodeId: WORKER, role: 'delivery-worker', region: 'one', version: 'bench' },
    listen: { host: '127.0.0.1', port: 0 },
    security: { kind: 'mutual-tls', ...(files.get('worker-1') as LinkFiles) },
    directory: nodes.join(),
    placement: onePlacement('one'),
    metrics: createMetrics(false),
    log: pino({ level: 'silent' }),
  });
  nodes.join().announce({
    nodeId: GATEWAY,
    role: 'gateway',
    region: 'one',
    address: gateway.address,
    version: 'bench',
    startedAt: 0,
  });
  try {
    const pusher = createPusher(links);
    await pusher.saturate(0.5); // warms up both sides
    const full = await pusher.saturate(seconds);
    return { ...full, ...(await pusher.pace(seconds)), pacedPerSecond: PACED_PER_SECOND };
  } finally {
    await links.close();
    await gateway.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function createPusher(links: GrpcNodeLinks) {
  const sentAt = new Map<number, number>();
  let latencies: number[] = [];
  let answered = 0;
  let next = 0;
  links.attachWorker(WORKER, {
    pushed(pushId, outcome) {
      if (outcome !== 'settled') throw new Error(`a push ended ${outcome}`);
      answered++;
      const since = sentAt.get(pushId);
      if (since === undefined) return;
      sentAt.delete(pushId);
      latencies.push(performance.now() - since);
    },
  });
  const push = (): void => links.push(GATEWAY, madePush(WORKER, ++next));
  const rest = async (): Promise<void> => {
    while (answered < next) await new Promise(setImmediate);
  };

  return {
    async saturate(seconds: number) {
      const [from, batches, cpu] = [answered, links.counters.batches.sent, process.cpuUsage()];
      const started = performance.now();
      while (performance.now() - started < seconds * 1_000) {
        while (next - answered < WINDOW) push();
        await new Promise(setImmediate);
      }
      const pushes = answered - from;
      const { user, system } = process.cpuUsage(cpu);
      const elapsed = (performance.now() - started) / 1_000;
      await rest();
      return {
        itemsPerSecond: (2 * pushes) / elapsed,
        itemsPerBatch: pushes / (links.counters.batches.sent - batches),
        microsPerItem: (user + system) / (2 * pushes),
      };
    },
    async pace(seconds: number) {
      latencies = [];
      const started = performance.now();
      for (let said = 0; said < seconds * PACED_PER_SECOND; ) {
        const due = ((performance.now() - started) / 1_000) * PACED_PER_SECOND;
        for (; said < due; said++) {
          sentAt.set(next + 1, performance.now());
          push();
        }
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await rest();
      latencies.sort((a, b) => a - b);
      const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
      return { p50Ms: at(0.5), p99Ms: at(0.99) };
    },
  };
}
