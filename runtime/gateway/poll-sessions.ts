import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { ConnId, NodeId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import type { PollCursors } from '../../core/session/poll-session.ts';
import type { ServerFrame } from '../../core/wire/frames.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Identity } from '../ports/token-verifier.ts';
import type { FrameMeter } from './frame-meter.ts';
import { createDevicePoll, type DevicePoll, type PollReply } from './poll-session.ts';

/** The devices of one gateway that cannot hold a WebSocket and ask for their frames instead. */
export interface PollSessions {
  /**
   * Opens a connection for the device of a verified token, and answers once WELCOME is there, and what follows it at once.
   */
  open(options: PollOpening): { readonly pollId: string; readonly reply: Promise<PollReply> };
  /** The session with this id, for the device that opened it and for nobody else. */
  find(pollId: string, identity: Identity): DevicePoll | undefined;
  holds(conn: ConnId): boolean;
  /** Keeps a frame for the next response; ignored when the session is gone. */
  send(conn: ConnId, frame: ServerFrame): void;
  /** The session is over; the device learns it with the frames before that. */
  close(conn: ConnId, code: number, reason: string): void;
  readonly count: number;
  /** Answers every request that waits. */
  stop(): void;
}

export interface PollOpening {
  readonly identity: Identity;
  /** Where it comes from, for rate limits. */
  readonly address: string | undefined;
  /** What RESUME says as soon as WELCOME is there; undefined when the device will say it itself. */
  readonly cursors: PollCursors | undefined;
  /** Calls back when the peer leaves before it was answered. */
  readonly onGone: (listener: () => void) => void;
}

export interface PollSessionsOptions {
  readonly nodeId: NodeId;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly meter: FrameMeter;
  readonly log: Logger;
  readonly nextConn: () => ConnId;
  readonly dispatch: (event: GatewayEvent) => void;
}

/** 192 bits: nobody finds one by trying. */
const ID_BYTES = 24;
const NORMAL = 1000;
const GOING_AWAY = 1001;

export function createPollSessions(options: PollSessionsOptions): PollSessions {
  const { nodeId, limits, metrics, meter, log, nextConn, dispatch } = options;
  /** Every session that a device may ask for; those that are over stay until the device has been told, or for a while. */
  const byId = new Map<string, DevicePoll>();
  const byConn = new Map<ConnId, DevicePoll>();
  metrics.gauge('parley_poll_sessions', 'Open device connections by long polling', () => byConn.size);

  function ended({ conn }: DevicePoll, code: number): void {
    if (!byConn.delete(conn)) return;
    metrics.connectionsClosed.inc({ code });
    log.debug({ conn, code }, 'poll session closed');
  }

  return {
    open({ identity, address, cursors, onGone }) {
      const conn = nextConn();
      // Named after its gateway, for the balancers in front of several: the session lives in this process alone.
      const pollId = `${encodeURIComponent(nodeId)}.${randomBytes(ID_BYTES).toString('base64url')}`;
      const session: DevicePoll = createDevicePoll({
        conn,
        pollId,
        identity,
        address,
        limits,
        meter,
        cursors,
        dispatch,
        onForgotten() {
          byId.delete(pollId);
          ended(session, NORMAL);
        },
      });
      byId.set(pollId, session);
      byConn.set(conn, session);
      metrics.connectionsOpened.inc();
      log.debug({ conn, userId: identity.userId, deviceId: identity.deviceId }, 'poll session opened');
      return { pollId, reply: session.connect(onGone) };
    },
    find(pollId, { userId, deviceId }) {
      const session = byId.get(pollId);
      const own = session?.identity.userId === userId && session.identity.deviceId === deviceId;
      return own ? session : undefined;
    },
    holds: (conn) => byConn.has(conn),
    send(conn, frame) {
      const session = byConn.get(conn);
      if (session === undefined) return;
      meter.sent(session, frame);
      session.say(frame);
    },
    close(conn, code, reason) {
      const session = byConn.get(conn);
      if (session === undefined) return;
      ended(session, code);
      session.end(code, reason);
    },
    get count() {
      return byConn.size;
    },
    stop() {
      for (const session of byConn.values()) session.end(GOING_AWAY, 'this gateway is shutting down');
      for (const session of byId.values()) session.stop();
      byConn.clear();
      byId.clear();
    },
  };
}
