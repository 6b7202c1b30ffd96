import type { ConnId, NodeId } from '../../core/contract/ids.ts';
import type { History } from './history.ts';
import type { Observation } from './observation.ts';
import type { Oracle, Violation } from './oracle.ts';
import { broken } from './violation.ts';

const NAME = 'leases-are-fenced';

/**
 * Promise 15. A device has one session, its newest. The registry never goes back from an epoch that it holds to an older
 * one, and nobody but its holder gives a lease up; a session that was told of a newer one does nothing any more; and a
 * push that names an epoch is not taken by a session from before it. What the registry loses, it holds no more.
 */
export function leasesAreFenced(history: History): Oracle {
  /** Connections that were told, by gateway. */
  const fenced = new Map<NodeId, Set<ConnId>>();
  const isFenced = (gateway: NodeId, conn: ConnId): boolean => fenced.get(gateway)?.has(conn) === true;
  return {
    name: NAME,
    on: {
      lease: leaseWrong,
      fenced(o, at) {
        if (isFenced(o.gatewayId, o.conn)) return stillThere(history, o.gatewayId, 'is told so again', at);
        const those = fenced.get(o.gatewayId) ?? new Set();
        fenced.set(o.gatewayId, those.add(o.conn));
        return undefined;
      },
      welcomed(o, at) {
        if (!isFenced(o.gatewayId, o.conn)) return undefined;
        return stillThere(history, o.gatewayId, 'gets a WELCOME', at);
      },
      pushed(o, at) {
        if (fenced.size === 0 || !isFenced(o.gatewayId, o.conn)) return undefined;
        return stillThere(history, o.gatewayId, `is sent seq ${o.seq} of ${o.chatId}`, at);
      },
      'push-met-older'(o, at) {
        if (!o.taken) return undefined;
        const expected = `a push for epoch ${o.named} of ${o.deviceId} finds no session at ${o.gatewayId}`;
        return broken(NAME, at, expected, `the session with epoch ${o.epoch} takes it`);
      },
    },
  };
}

function stillThere(history: History, gateway: NodeId, what: string, at: number): Violation {
  const who = history.nameDevice(history.device);
  const expected = `the session of ${who} at ${gateway}, told of a newer one, is gone`;
  return broken(NAME, at, expected, `it ${what}`);
}

function leaseWrong(o: Extract<Observation, { kind: 'lease' }>, at: number): Violation | undefined {
  const { deviceId, by, before, after } = o;
  if (before === undefined) return undefined;
  if (after === undefined) {
    if (by === before) return undefined;
    const expected = `the lease of ${deviceId}, epoch ${before}, is given up by its holder only`;
    return broken(NAME, at, expected, `epoch ${by} gives it up`);
  }
  if (after >= before) return undefined;
  return broken(
    NAME,
    at,
    `the registry holds epoch ${before} of ${deviceId}, or a newer one`,
    `it holds epoch ${after}`,
  );
}
