import { assert } from '../../core/contract/assert.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import { decodeClientFrame, encodeClientFrame } from '../../core/wire/client-codec.ts';
import { decodeServerFrame, encodeServerFrame } from '../../core/wire/server-codec.ts';

/** Frames as they come out of the codec at the other end: finds what encoding would lose. */

type FrameUp = Extract<GatewayEvent, { kind: 'frame' }>;
type FrameDown = Extract<DeviceEvent, { kind: 'frame' }>;

export function overTheWireUp(event: FrameUp, limits: Limits): GatewayEvent {
  const decoded = decodeClientFrame(encodeClientFrame(event.frame), limits);
  const { conn } = event;
  if (decoded.ok) return { kind: 'frame', conn, frame: decoded.frame };
  const { message, code, clientMsgId } = decoded;
  return { kind: 'bad-frame', conn, message, code, clientMsgId };
}

export function overTheWireDown(event: FrameDown): DeviceEvent {
  const decoded = decodeServerFrame(encodeServerFrame(event.frame));
  assert(decoded.ok, 'a gateway sent a frame that its own codec refuses');
  return { kind: 'frame', conn: event.conn, frame: decoded.frame };
}
