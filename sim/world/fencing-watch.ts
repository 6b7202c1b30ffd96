import { assertNever } from '../../core/contract/assert.ts';
import type { ConnId } from '../../core/contract/ids.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import type { Push } from '../../core/session/push.ts';
import type { GatewayHost } from './gateway-host.ts';

type Machine = NonNullable<GatewayHost['machine']>;

/** Before the step: tells the observers which sessions hear that a newer one of their device exists. */
export function watchFencing(
  host: GatewayHost,
  machine: Machine,
  event: Extract<GatewayEvent, { kind: 'claimed' | 'renewed' | 'evict' }>,
): void {
  switch (event.kind) {
    case 'claimed':
      if (event.result.outcome === 'fenced') fenced(host, machine, event.conn, 'session.claim.fenced');
      return;
    case 'renewed':
      for (let i = 0; i < (event.outcomes?.length ?? 0); i++)
        if (event.outcomes![i] === 'fenced') fenced(host, machine, event.conns[i]!, 'session.renewal.fenced');
      return;
    case 'evict':
      for (const session of machine.byUser.get(event.userId) ?? []) {
        if (session.deviceId !== event.deviceId) continue;
        if (session.epoch < event.epoch) fenced(host, machine, session.conn, 'session.evicted');
        // The device has come back to this gateway before the word of where it had been in between.
        else host.world.probes.hit('session.evict.late');
      }
      return;
    default:
      assertNever(event);
  }
}

function fenced(host: GatewayHost, machine: Machine, connId: ConnId, probe: string): void {
  const conn = host.connOf(connId);
  // It had ended already, and nobody is left to be told.
  if (conn === undefined || !machine.sessions.has(connId)) return;
  host.world.probes.hit(probe);
  host.world.observers.fenced(host.nodeId, conn);
}

/** After the step: tells the observers what became of a push that found only older sessions than the one it named. */
export function watchOlderPush(
  host: GatewayHost,
  machine: Machine,
  push: Push,
  effects: readonly GatewayEffect[],
): void {
  const sessions =
    machine.byUser.get(push.userId)?.filter(({ deviceId }) => deviceId === push.deviceId) ?? [];
  const epoch = Math.max(0, ...sessions.map((session) => session.epoch));
  if (sessions.length === 0 || epoch >= push.epoch) return;
  host.world.probes.hit('session.push.fenced');
  const refused = effects.some(
    (effect) =>
      effect.kind === 'push-result' && effect.pushId === push.pushId && effect.outcome === 'no-session',
  );
  host.world.observers.pushMetOlder(host.nodeId, push, epoch, !refused);
}
