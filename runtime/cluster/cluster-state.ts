import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isRunning, type ProcessIdentity } from '../adapters/embedded-postgres/process-identity.ts';
import type { NodeRole } from '../ports/node-directory.ts';

/** A process that was started, and by what it is known again. */
export interface ClusterProcess extends ProcessIdentity {
  readonly name: string;
  readonly role: NodeRole;
  readonly region: string;
  /** Base URL of its HTTP side. */
  readonly url: string;
  readonly log: string;
}

/** What a development cluster consists of, as its data folder remembers it. */
export interface ClusterState {
  readonly folder: string;
  readonly regions: readonly string[];
  readonly processes: readonly ClusterProcess[];
}

export const CLUSTER_FOLDER = resolve('data', 'cluster');

/** @returns what was started in this folder, alive or not; undefined when nothing was. */
export function readClusterState(folder: string = CLUSTER_FOLDER): ClusterState | undefined {
  const path = join(folder, 'cluster.json');
  if (!existsSync(path)) return undefined;
  return JSON.parse(readFileSync(path, 'utf8')) as ClusterState;
}

export function writeClusterState(state: ClusterState): void {
  mkdirSync(state.folder, { recursive: true });
  const path = join(state.folder, 'cluster.json');
  writeFileSync(`${path}.new`, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function forgetCluster(folder: string): void {
  rmSync(join(folder, 'cluster.json'), { force: true });
}

export function living(state: ClusterState | undefined): readonly ClusterProcess[] {
  return (state?.processes ?? []).filter(isRunning);
}
