import type { DeviceEvent } from '../../core/device/device-event.ts';
import type { GatewayEvent } from '../../core/session/gateway-event.ts';
import type { Connection } from './connection.ts';
import { FRAME_OVERHEAD } from './poll-ends.ts';
import { CONNECT, DOWN, UP } from './event-kind.ts';
import { overTheWireDown, overTheWireUp } from './wire-format.ts';
import type { World } from './world.ts';

/** Code of a connection that just broke (RFC 6455 section 7.4.1). */
export const BROKEN = 1006;

/**
 * What travels on device connections. A frame on an open way arrives in order after the way's latency; on a held way it
 * waits in the sender's socket buffer; on a lost way it is gone, and with it everything later in that direction.
 */
export class DeviceLinks {
  readonly #world: World;
  readonly #wire: boolean;
  /** Connections with held frames. */
  readonly #held = new Set<Connection>();

  constructor(world: World, wire: boolean) {
    this.#world = world;
    this.#wire = wire;
  }

  /** A connection attempt. On a closed way nothing comes back: the device gives up by itself. */
  connect(conn: Connection): void {
    const { network, engine } = this.#world;
    if (conn.poll !== undefined) {
      this.#world.polls.clients.connect(conn);
      return;
    }
    const from = conn.device.index;
    const to = conn.gateway.index;
    if (network.state(from, to) !== 'open') return;
    conn.lastUp = engine.now + network.deviceDelay(from, to, conn.key, conn.draws++);
    engine.scheduleAt(conn.lastUp, CONNECT, to, 0, conn, undefined);
  }

  /** A frame from the device; undefined: it closes the connection. */
  up(conn: Connection, event: GatewayEvent | undefined): void {
    const { network, probes } = this.#world;
    if (conn.poll !== undefined) {
      this.#world.polls.clients.up(conn, event);
      return;
    }
    if (conn.upLost) return;
    const state = network.state(conn.device.index, conn.gateway.index);
    if (state === 'lost') {
      conn.upLost = true;
      probes.hit('network.frame.lost');
      return;
    }
    if (state === 'held' || conn.heldUp.length > 0) {
      conn.heldUp.push(event);
      this.#held.add(conn);
      return;
    }
    this.#sendUp(conn, event);
  }

  /** A frame, or the close, from the gateway. */
  down(conn: Connection, event: DeviceEvent): void {
    const { network, probes } = this.#world;
    if (conn.poll !== undefined) {
      this.#world.polls.servers.down(conn, event);
      return;
    }
    if (conn.downLost) return;
    const state = network.state(conn.gateway.index, conn.device.index);
    if (state === 'lost') {
      conn.downLost = true;
      probes.hit('network.frame.lost');
      return;
    }
    if (state === 'held' || conn.heldDown.length > 0) {
      this.#hold(conn, event);
      return;
    }
    this.#sendDown(conn, event);
  }

  /** A way opened: what was held on it goes on, in order. */
  release(): void {
    const { network, probes } = this.#world;
    for (const conn of this.#held) {
      const device = conn.device.index;
      const gateway = conn.gateway.index;
      if (network.state(device, gateway) === 'open') {
        for (const event of conn.heldUp.splice(0)) this.#sendUp(conn, event);
      }
      if (network.state(gateway, device) === 'open' && conn.heldDown.length > 0) {
        probes.hit('network.held.released');
        for (const event of conn.heldDown.splice(0)) this.#sendDown(conn, event);
        this.#reportBuffer(conn, 0);
      }
      if (conn.heldUp.length === 0 && conn.heldDown.length === 0) this.#held.delete(conn);
    }
  }

  #hold(conn: Connection, event: DeviceEvent): void {
    conn.heldDown.push(event);
    this.#held.add(conn);
    const frame = event.kind === 'frame' ? event.frame : undefined;
    const body = frame?.frame === 'MESSAGE' ? frame.ciphertext.length : 0;
    this.#reportBuffer(conn, conn.heldBytes + FRAME_OVERHEAD + body);
  }

  /** Bytes that the peer does not take are the gateway's to know, above half of the limit, and when they are back below it. */
  #reportBuffer(conn: Connection, bytes: number): void {
    const half = this.#world.limits.socketBufferBytes / 2;
    const before = conn.heldBytes;
    conn.heldBytes = bytes;
    if ((bytes <= half && before <= half) || !conn.gatewayOpen) return;
    this.#world.probes.hit('network.socket-buffer.reported');
    this.#world.tell(conn.gateway, { kind: 'buffered', conn: conn.id, bytes }, 0);
  }

  #sendUp(conn: Connection, event: GatewayEvent | undefined): void {
    const { network, engine } = this.#world;
    const to = conn.gateway.index;
    const delay = network.deviceDelay(conn.device.index, to, conn.key, conn.draws++);
    conn.lastUp = Math.max(engine.now + delay, conn.lastUp + 1);
    const arriving = this.#wire && event?.kind === 'frame' ? overTheWireUp(event, this.#world.limits) : event;
    engine.scheduleAt(conn.lastUp, UP, to, 0, arriving, conn);
  }

  #sendDown(conn: Connection, event: DeviceEvent): void {
    const { network, engine } = this.#world;
    const to = conn.device.index;
    const delay = network.deviceDelay(conn.gateway.index, to, conn.key, conn.draws++);
    conn.lastDown = Math.max(engine.now + delay, conn.lastDown + 1);
    const arriving = this.#wire && event.kind === 'frame' ? overTheWireDown(event) : event;
    engine.scheduleAt(conn.lastDown, DOWN, to, 0, arriving, conn);
  }
}
