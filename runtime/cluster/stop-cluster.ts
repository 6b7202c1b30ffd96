import type { NodeRole } from '../ports/node-directory.ts';
import { endProcess } from './cluster-process.ts';
import { forgetCluster, living, type ClusterProcess, type ClusterState } from './cluster-state.ts';

/** A drain takes at most ten seconds by the cluster's configuration. */
const DRAIN_MS = 15_000;
const KILL_MS = 5_000;

/** Devices leave first, while everybody else can still finish what they sent. */
const FIRST: readonly NodeRole[] = ['gateway', 'http-api'];

/** @returns the processes that did not end by themselves and were killed. */
export async function stopCluster(state: ClusterState): Promise<readonly ClusterProcess[]> {
  const members = living(state);
  const edge = members.filter(({ role }) => FIRST.includes(role));
  const rest = members.filter(({ role }) => !FIRST.includes(role));
  const killed = [...(await endAll(edge)), ...(await endAll(rest))];
  forgetCluster(state.folder);
  return killed;
}

async function endAll(members: readonly ClusterProcess[]): Promise<readonly ClusterProcess[]> {
  const ended = await Promise.all(members.map((member) => endProcess(member, 'SIGTERM', DRAIN_MS)));
  const stuck = members.filter((_, i) => ended[i] !== true);
  await Promise.all(stuck.map((member) => endProcess(member, 'SIGKILL', KILL_MS)));
  return stuck;
}
