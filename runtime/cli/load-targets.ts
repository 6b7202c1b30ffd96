import { resolve } from 'node:path';
import { living, readClusterState } from '../cluster/cluster-state.ts';
import { CommandError, EXIT } from './exit-code.ts';
import type { RoleUrl } from './role-cpu.ts';

/** What is loaded, and whose processor time is measured meanwhile. */
export interface LoadTargets {
  /** Base URLs, at least one. */
  readonly gateways: readonly string[];
  readonly roles: readonly RoleUrl[];
}

/**
 * The gateways that were named, or those of the local cluster.
 * @throws CommandError when there is none.
 */
export function loadTargets(urls: string | undefined, data: string | undefined): LoadTargets {
  if (urls !== undefined) {
    const gateways = urls.split(',').map((url) => url.replace(/\/+$/, ''));
    return { gateways, roles: gateways.map((url) => ({ role: 'gateway', url })) };
  }
  const processes = living(readClusterState(data === undefined ? undefined : resolve(data)));
  const gateways = processes.filter(({ role }) => role === 'gateway' || role === 'all').map(({ url }) => url);
  if (gateways.length > 0) return { gateways, roles: processes };
  throw new CommandError(
    EXIT.unavailable,
    'no cluster runs here, and no --url was given',
    'parley cluster up, or parley load --url http://localhost:8080',
  );
}
