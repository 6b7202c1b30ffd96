import type { FaultKind } from './fault-kind.ts';
import { clockDrift } from './clock-drift.ts';
import { clockOffset } from './clock-offset.ts';
import { clockStep } from './clock-step.ts';
import { crash } from './crash.ts';
import { crashAtEffect } from './crash-at-effect.ts';
import { crashInRebalance } from './crash-in-rebalance.ts';
import { cut } from './cut.ts';
import { cutThenDead } from './cut-then-dead.ts';
import { cutOneWay } from './cut-one-way.ts';
import { deployWave } from './deploy-wave.ts';
import { deviceCrash } from './device-crash.ts';
import { doubleFailover } from './double-failover.ts';
import { drain } from './drain.ts';
import { flap } from './flap.ts';
import { halfOpen } from './half-open.ts';
import { hintsDropped } from './hints-dropped.ts';
import { isolation } from './isolation.ts';
import { jam } from './jam.ts';
import { lateClaim } from './late-claim.ts';
import { lateEpoch } from './late-epoch.ts';
import { misrouting } from './misrouting.ts';
import { outboxLate } from './outbox-late.ts';
import { partitionThenMove } from './partition-then-move.ts';
import { pause } from './pause.ts';
import { pollLossy } from './poll-lossy.ts';
import { pauseAtEffect } from './pause-at-effect.ts';
import { queueDuplicate } from './queue-duplicate.ts';
import { queueFailing } from './queue-failing.ts';
import { queueOffsetMoved } from './queue-offset-moved.ts';
import { queueRedeliver } from './queue-redeliver.ts';
import { queueRetention } from './queue-retention.ts';
import { queueUnknown } from './queue-unknown.ts';
import { rebalance } from './rebalance.ts';
import { reconnectStorm } from './reconnect-storm.ts';
import { regionCut } from './region-cut.ts';
import { registryDown } from './registry-down.ts';
import { registryEvicts } from './registry-evicts.ts';
import { registryFailover } from './registry-failover.ts';
import { registryFlush } from './registry-flush.ts';
import { registryFull } from './registry-full.ts';
import { registrySlow } from './registry-slow.ts';
import { slowLink } from './slow-link.ts';
import { slowNode } from './slow-node.ts';
import { slowThenDead } from './slow-then-dead.ts';
import { storeFailing } from './store-failing.ts';
import { storeRetention } from './store-retention.ts';
import { storeSlow } from './store-slow.ts';
import { storeUnknown } from './store-unknown.ts';
import { storeZombie } from './store-zombie.ts';
import { swizzleClog } from './swizzle-clog.ts';
import { tokenExpires } from './token-expires.ts';
import { websocketBlocked } from './websocket-blocked.ts';

/** Every kind of fault the simulator knows, in the order in which they are listed to people. */
export const FAULT_KINDS: readonly FaultKind[] = [
  crash,
  crashAtEffect,
  pause,
  pauseAtEffect,
  slowNode,
  drain,
  misrouting,
  deviceCrash,
  tokenExpires,
  clockOffset,
  clockStep,
  clockDrift,
  cut,
  cutOneWay,
  isolation,
  halfOpen,
  jam,
  slowLink,
  websocketBlocked,
  pollLossy,
  flap,
  regionCut,
  storeUnknown,
  storeZombie,
  storeFailing,
  storeSlow,
  storeRetention,
  outboxLate,
  queueUnknown,
  queueFailing,
  queueDuplicate,
  queueRedeliver,
  queueRetention,
  queueOffsetMoved,
  rebalance,
  registryFlush,
  registryEvicts,
  registryFull,
  registryFailover,
  registryDown,
  registrySlow,
  hintsDropped,
  lateClaim,
  lateEpoch,
  swizzleClog,
  deployWave,
  reconnectStorm,
  partitionThenMove,
  slowThenDead,
  cutThenDead,
  doubleFailover,
  crashInRebalance,
];

const BY_NAME: ReadonlyMap<string, FaultKind> = new Map(FAULT_KINDS.map((kind) => [kind.kind, kind]));

/** @returns the kind of that name, or undefined: an unknown kind is an error of the scenario. */
export function faultKind(name: string): FaultKind | undefined {
  return BY_NAME.get(name);
}
