import { pino } from 'pino';
import { nodeId } from '../../../../core/contract/ids.ts';
import { onePlacement } from '../../../../core/contract/placement.ts';
import { createMetrics } from '../../../observability/metrics.ts';
import { createMemoryNodeDirectory } from '../../memory/node-directory-memory.ts';
import type { LinkFiles } from '../link-security.ts';
import { startGrpcNodeLinks } from '../node-links-grpc.ts';

/**
 * A gateway in a process of its own, to be killed, frozen and measured: `node link-process.ts <node id> <files as JSON>`.
 * Prints its address, and answers every push except those to device `d_silent`.
 */
const [id = '', files = '{}'] = process.argv.slice(2);
const node = nodeId(id);
const links = await startGrpcNodeLinks({
  self: { nodeId: node, role: 'gateway', region: 'one', version: 'test' },
  listen: { host: '127.0.0.1', port: 0 },
  security: { kind: 'mutual-tls', ...(JSON.parse(files) as LinkFiles) },
  directory: createMemoryNodeDirectory().join(),
  placement: onePlacement('one'),
  metrics: createMetrics(false),
  log: pino({ level: 'silent' }),
});
links.attachGateway(node, {
  push({ worker, pushId, deviceId }) {
    if (deviceId !== 'd_silent') links.pushResult(worker, pushId, 'settled');
  },
  reply: () => undefined,
  evict: () => undefined,
});
process.stdout.write(`${links.address}\n`);
// Whoever started it has gone when its end of this pipe has.
process.stdin.on('end', () => process.exit(0)).resume();
