import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { ChatId, ConnId, NodeId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import { addFrame, newPollBuffer } from '../../core/session/poll-buffer.ts';
import { encodeServerFrame } from '../../core/wire/server-codec.ts';
import type { ServerFrame } from '../../core/wire/frames.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { Identity } from '../ports/token-verifier.ts';
import type { FrameMeter } from './frame-meter.ts';
import { createPollSession, type PollSession } from './poll-session.ts';

/** The devices of one gateway that cannot hold a WebSocket and ask for their frames instead. */
export interface PollSessions {
  /**
   * Opens a connection for the device of a verified token. @param address where it comes from, for rate limits. @param cursors what RESUME says as soon as WELCOME is there;
   * undefined when the device will say it itself.
   */
  open(identity: Identity, address: string | undefined, cursors: Cursors | undefined): PollSession;
  /** The session with this id, for the device that opened it and for nobody else. */
  find(pollId: string, identity: Identity): PollSession | undefined;
  holds(conn: ConnId): boolean;
  /** Keeps a frame for the next response; ignored when the session is gone. */
  send(conn: ConnId, frame: ServerFrame): void;
  /** The session is over; the device learns it with the frames before that. */
  close(conn: ConnId, code: number, reason: string): void;
  readonly count: number;
  /** Answers every request that waits. */
  stop(): void;
}

export type Cursors = readonly (readonly [ChatId, number])[];

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
const GOING_AWAY = 1001;

export function createPollSessions(options: PollSessionsOptions): PollSessions {
  const { nodeId, limits, metrics, meter, log, nextConn, dispatch } = options;
  /** Every session that a device may ask for; those that are over stay until the device has been told, or for a while. */
  const byId = new Map<string, PollSession>();
  const byConn = new Map<ConnId, PollSession>();
  const lingering = new Map<string, NodeJS.Timeout>();
  metrics.gauge('parley_poll_sessions', 'Open device connections by long polling', () => byConn.size);

  function forget(session: PollSession): void {
    byId.delete(session.pollId);
    clearTimeout(lingering.get(session.pollId));
    lingering.delete(session.pollId);
  }

  function ended(session: PollSession, code: number): boolean {
    if (!byConn.delete(session.conn)) return false;
    metrics.connectionsClosed.inc({ code });
    log.debug({ conn: session.conn, code }, 'poll session closed');
    return true;
  }

  return {
    open(identity, address, cursors) {
      const conn = nextConn();
      // Named after its gateway, for the balancers in front of several: the session lives in this process alone.
      const pollId = `${encodeURIComponent(nodeId)}.${randomBytes(ID_BYTES).toString('base64url')}`;
      const session: PollSession = createPollSession({
        conn,
        pollId,
        identity,
        limits,
        meter,
        cursors,
        dispatch,
        buffer: newPollBuffer(),
        onLeft() {
          forget(session);
          if (ended(session, 1000)) dispatch({ kind: 'closed', conn });
        },
      });
      byId.set(pollId, session);
      byConn.set(conn, session);
      metrics.connectionsOpened.inc();
      log.debug({ conn, userId: identity.userId, deviceId: identity.deviceId }, 'poll session opened');
      dispatch({ kind: 'open', conn, ...identity, address });
      dispatch({ kind: 'polled', conn });
      return session;
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
      addFrame(session.buffer, encodeServerFrame(frame));
      session.said(frame);
    },
    close(conn, code, reason) {
      const session = byConn.get(conn);
      if (session === undefined || !ended(session, code)) return;
      session.end(code, reason);
      const timer = setTimeout(() => forget(session), limits.pollSilence / 1_000);
      lingering.set(session.pollId, timer.unref());
    },
    get count() {
      return byConn.size;
    },
    stop() {
      for (const session of byConn.values()) session.end(GOING_AWAY, 'this gateway is shutting down');
      for (const timer of lingering.values()) clearTimeout(timer);
      byConn.clear();
      byId.clear();
    },
  };
}
