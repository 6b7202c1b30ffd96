import type { ConnId } from '../../core/contract/ids.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import type { DeviceHost } from './device-host.ts';
import type { Token } from './device-tokens.ts';
import type { GatewayHost } from './gateway-host.ts';
import type { PollEnds } from './poll-ends.ts';
import type { Timer } from './timer.ts';

/**
 * One connection of a device to a gateway. Each end has its own idea of whether it is open: between a cut and the moment
 * an end notices, they differ (half-open). Each direction is in order, and has no hole: once a frame was lost on it,
 * nothing later arrives either.
 */
export class Connection {
  readonly device: DeviceHost;
  readonly gateway: GatewayHost;
  /** The device's number for it. */
  readonly deviceConn: ConnId;
  /** Stream of its latency draws. */
  readonly key: number;
  /** The gateway's number for it; 0 until the gateway took it. */
  id: ConnId;
  /** Incarnation of the gateway that took it. */
  gatewayIncarnation = -1;
  /** Both ends of a connection by long polling; undefined for a WebSocket. */
  poll: PollEnds | undefined = undefined;
  /** What it was made with; before the application has one, what never expires. */
  token: Token = { expiresAt: Number.POSITIVE_INFINITY };
  /** When its token runs out by the clock of the gateway that took it. */
  expiresAt = Number.POSITIVE_INFINITY;
  /** RESUME came, and SYNCED was sent. */
  resumed = false;
  synced = false;
  deviceOpen = true;
  gatewayOpen = false;
  /** Fencing token that the store gave this session; 0 before. */
  epoch = 0;
  draws = 0;
  lastUp = 0;
  lastDown = 0;
  /** A frame was lost on this direction. */
  upLost = false;
  downLost = false;
  /** Frames that wait for the link, and the bytes of those on their way down. */
  readonly heldUp: (GatewayEvent | undefined)[] = [];
  readonly heldDown: DeviceEvent[] = [];
  heldBytes = 0;
  /** Of the gateway's session. */
  readonly timers: Record<'session' | 'retry' | 'receipts', Timer | undefined> = {
    session: undefined,
    retry: undefined,
    receipts: undefined,
  };

  constructor(device: DeviceHost, gateway: GatewayHost, deviceConn: ConnId, key: number) {
    this.device = device;
    this.gateway = gateway;
    this.deviceConn = deviceConn;
    this.key = key;
    this.id = 0 as ConnId;
  }
}
