import type { Logger } from 'pino';
import { assertNever } from '../../core/contract/assert.ts';
import { connId, type ConnId, type NodeId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { GatewayEvent, GatewayTimer } from '../../core/session/gateway-event.ts';
import { createGateway, stepGateway } from '../../core/session/gateway.ts';
import { createMachineDriver, systemClock, type Halt } from '../driver/machine-driver.ts';
import { createWakeTimers } from '../driver/wake-timers.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { ChatStore } from '../ports/message-store.ts';
import type { NodeLinks } from '../ports/node-links.ts';
import type { SessionRegistry } from '../ports/session-registry.ts';
import type { Recording } from '../recording/machine-recorder.ts';
import { createDeviceSockets, type DeviceSockets } from './device-sockets.ts';
import { createFrameMeter } from './frame-meter.ts';
import { createPushMeter } from './push-meter.ts';
import { createPollSessions, type PollSessions } from './poll-sessions.ts';
import type { AcceptedSocket } from './upgrade.ts';

export interface GatewayShell {
  /** Takes a connection whose token has been verified. */
  accept(accepted: AcceptedSocket): void;
  /** The devices that poll instead. */
  readonly polls: PollSessions;
  readonly connections: number;
  /** Sends everybody elsewhere. @returns when every session is gone. */
  drain(): Promise<void>;
  stop(): void;
}

export interface GatewayOptions {
  readonly nodeId: NodeId;
  readonly region: string;
  readonly limits: Limits;
  readonly seed: number;
  readonly store: ChatStore;
  readonly registry: SessionRegistry;
  readonly links: NodeLinks;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly halt: Halt;
  readonly recording?: Recording | undefined;
}

/** Runs a gateway: device connections on one side, store, registry and message service on the other. */
export function startGateway(options: GatewayOptions): GatewayShell {
  const { nodeId, region, limits, seed, links, registry, metrics, log, halt, recording } = options;
  const made = { nodeId, region, limits, seed };
  const state = createGateway(made);
  const drained = Promise.withResolvers<void>();

  const driver = createMachineDriver<GatewayEvent, GatewayEffect>({
    machine: 'gateway',
    step: (event, now) => stepGateway(state, event, now),
    carryOut: (effects) => effects.forEach(carryOut),
    clock: systemClock,
    halt,
    recorder: recording?.machine('gateway', made),
  });
  const { dispatch } = driver;
  let lastConn = 0;
  const meter = createFrameMeter(metrics, limits);
  const pushes = createPushMeter(metrics);
  const ends = { limits, metrics, meter, log, nextConn: () => connId(++lastConn), dispatch };
  const sockets: DeviceSockets = createDeviceSockets(ends);
  const polls: PollSessions = createPollSessions({ ...ends, nodeId });
  const timers = createWakeTimers<GatewayTimer>((timer, conn) =>
    dispatch({ kind: 'wake', timer, conn: conn as ConnId | undefined }),
  );
  const presence = registry.watchPresence((userId) => dispatch({ kind: 'presence-hint', userId }));
  const forgetRegistry = registry.onChanged(() => dispatch({ kind: 'registry-changed' }));
  const storeCalls = createStoreCalls(options, dispatch);

  function endOf(conn: ConnId): Pick<DeviceSockets, 'send' | 'close'> {
    return polls.count > 0 && polls.holds(conn) ? polls : sockets;
  }

  function carryOut(effect: GatewayEffect): void {
    switch (effect.kind) {
      case 'frame':
        return endOf(effect.conn).send(effect.conn, effect.frame);
      case 'disconnect':
        return endOf(effect.conn).close(effect.conn, effect.code, effect.reason);
      case 'request':
        return links.request(effect.request);
      case 'push-result':
        pushes.answered(effect);
        return links.pushResult(effect.worker, effect.pushId, effect.outcome);
      case 'evict':
        return links.evict(effect.gatewayId, effect, effect.epoch);
      case 'watch':
        return presence.watch(effect.userId);
      case 'unwatch':
        return presence.unwatch(effect.userId);
      case 'wake':
        return timers.set(effect.timer, effect.conn, effect.after);
      case 'drained':
        return drained.resolve();
      case 'confirm-device':
        return options.store.confirmDevice(effect);
      case 'open-device':
      case 'claim':
      case 'renew':
      case 'release':
      case 'list-chats':
      case 'fetch':
      case 'read-heads':
      case 'count-receipts':
      case 'read-presence':
        return storeCalls(effect);
      default:
        return assertNever(effect);
    }
  }

  links.attachGateway(nodeId, {
    reply: (reply) => dispatch({ kind: 'reply', reply }),
    push(push) {
      pushes.came(push);
      dispatch({ kind: 'push', push });
    },
    evict: ({ userId, deviceId }, epoch) => dispatch({ kind: 'evict', userId, deviceId, epoch }),
  });
  return {
    accept: (accepted) => sockets.accept(accepted),
    polls,
    get connections() {
      return sockets.count + polls.count;
    },
    drain() {
      dispatch({ kind: 'drain' });
      return drained.promise;
    },
    stop() {
      timers.stop();
      presence.close();
      forgetRegistry();
      links.detach(nodeId);
      sockets.terminateAll();
      polls.stop();
    },
  };
}

type StoreEffect = Extract<
  GatewayEffect,
  {
    kind:
      | 'open-device'
      | 'claim'
      | 'renew'
      | 'release'
      | 'list-chats'
      | 'fetch'
      | 'read-heads'
      | 'count-receipts'
      | 'read-presence';
  }
>;

/** The effects that end in the store or the registry and come back as an event. */
function createStoreCalls(
  { store, registry }: GatewayOptions,
  dispatch: (event: GatewayEvent) => void,
): (effect: StoreEffect) => void {
  return function call(effect) {
    switch (effect.kind) {
      case 'open-device':
        return store.openDevice(effect, (result) =>
          dispatch({ kind: 'device-opened', conn: effect.conn, result }),
        );
      case 'claim':
        return registry.claim(effect.entry, effect.ttl, (result) =>
          dispatch({ kind: 'claimed', conn: effect.conn, result }),
        );
      case 'renew':
        return registry.renew(effect.entries, effect.ttl, (outcomes) =>
          dispatch({ kind: 'renewed', conns: effect.conns, outcomes }),
        );
      case 'release':
        return registry.release(effect.entry);
      case 'list-chats':
        return store.listChats(effect, (result) => dispatch({ kind: 'chats', conn: effect.conn, result }));
      case 'fetch': {
        const { conn, call: number, chatId } = effect;
        return store.fetch(effect, (result) =>
          dispatch({ kind: 'fetched', conn, call: number, chatId, result }),
        );
      }
      case 'read-heads':
        return store.readHeads(effect, (result) => dispatch({ kind: 'heads', result }));
      case 'count-receipts': {
        const { conn, request } = effect;
        return store.countReceipts(request, (result) =>
          dispatch({ kind: 'counted', conn, chatId: request.chatId, result }),
        );
      }
      case 'read-presence':
        return registry.readPresence(effect.users, (readings) => dispatch({ kind: 'presence', readings }));
      default:
        return assertNever(effect);
    }
  };
}
