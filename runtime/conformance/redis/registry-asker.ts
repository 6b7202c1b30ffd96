import type { UserId } from '../../../core/contract/ids.ts';
import { openRedisSessionRegistry } from '../../adapters/redis/session-registry-redis.ts';
import type { RedisEndpoint } from '../../adapters/redis/redis-endpoint.ts';
import { startSwitchProxy, type SwitchProxy } from '../../adapters/redis/testing/switch-proxy.ts';
import { until } from '../../adapters/redis/testing/until.ts';
import { createLogger } from '../../observability/logger.ts';
import { createMetrics } from '../../observability/metrics.ts';
import type { PresenceWatch, SessionRegistry } from '../../ports/session-registry.ts';

/** One who asks through the real adapter, over an address of its own that can be led to another server. */
export interface RegistryAsker {
  readonly registry: SessionRegistry;
  readonly watch: PresenceWatch;
  /** Every hint that came. */
  readonly hints: UserId[];
  /** How often another server was noticed. */
  readonly changes: () => number;
  answers(): Promise<void>;
  /** Goes to another server, as after a failover was heard of. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

/** Long enough that only who is meant to be silent is taken to be. */
const CALL_TIMEOUT_MS = 1_000;

/** @param target a server's port, or a cluster that is asked without a detour. */
export async function openAsker(name: string, target: number | RedisEndpoint): Promise<RegistryAsker> {
  const proxy = typeof target === 'number' ? await startSwitchProxy(target) : undefined;
  const endpoint: RedisEndpoint =
    typeof target === 'number' ? { kind: 'single', host: '127.0.0.1', port: portOf(proxy) } : target;
  const registry = openRedisSessionRegistry({
    endpoint,
    region: 'here',
    name,
    metrics: createMetrics(false),
    log: createLogger('silent', name),
    callTimeoutMs: CALL_TIMEOUT_MS,
  });
  const hints: UserId[] = [];
  let changes = 0;
  registry.onChanged(() => changes++);
  const watch = registry.watchPresence((user) => hints.push(user));
  const ping = (): Promise<boolean> =>
    registry.ping().then(
      () => true,
      () => false,
    );
  return {
    registry,
    watch,
    hints,
    changes: () => changes,
    answers: () => until(`${name} is answered`, ping),
    leadTo(port) {
      proxy?.leadTo(port);
      proxy?.cut();
    },
    async close() {
      watch.close();
      registry.close();
      await proxy?.close();
    },
  };
}

function portOf(proxy: SwitchProxy | undefined): number {
  if (proxy === undefined) throw new Error('a single server is asked through a proxy');
  return proxy.port;
}
