import type { ClientMsgId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { Decoded } from '../../core/wire/client-codec.ts';
import type { ClientFrame, ServerFrame } from '../../core/wire/frames.ts';
import { stageClock } from '../observability/message-stages.ts';
import type { Metrics } from '../observability/metrics.ts';

/** What is measured of one device connection, whatever carries its frames. */
export interface MeteredConnection {
  /** When each unanswered SEND was read, by the stage clock; from the first one on, as most devices only listen. */
  sends: Map<ClientMsgId, number> | undefined;
}

/** Counts the frames of device connections, and times sends until their ACK. */
export interface FrameMeter {
  received(connection: MeteredConnection, decoded: Decoded<ClientFrame>): void;
  sent(connection: MeteredConnection, frame: ServerFrame): void;
}

export function createFrameMeter(metrics: Metrics, limits: Limits): FrameMeter {
  return {
    received(connection, decoded) {
      if (!decoded.ok) return metrics.badFrames.inc({ code: decoded.code });
      const { frame } = decoded;
      metrics.framesReceived.inc({ frame: frame.frame });
      if (frame.frame !== 'SEND') return;
      const sends = (connection.sends ??= new Map());
      if (sends.size < limits.sessionRequests) sends.set(frame.clientMsgId, stageClock());
    },
    sent(connection, frame) {
      switch (frame.frame) {
        case 'MESSAGE':
          return metrics.messagesPushed.inc();
        case 'ACK': {
          metrics.messagesAcked.inc({ duplicate: String(frame.duplicate) });
          const since = connection.sends?.get(frame.clientMsgId);
          if (since === undefined) return;
          connection.sends?.delete(frame.clientMsgId);
          return metrics.messageStages.over('ack', frame.clientMsgId, since, {
            'parley.chat': frame.chatId,
            'parley.message': frame.serverMsgId,
            'parley.seq': frame.seq,
          });
        }
        case 'ERROR':
          if (frame.clientMsgId !== undefined) connection.sends?.delete(frame.clientMsgId);
          return metrics.errorsSent.inc({ code: frame.code });
        case 'GOAWAY':
          return metrics.goaways.inc({ reason: frame.reason });
        default:
      }
    },
  };
}
