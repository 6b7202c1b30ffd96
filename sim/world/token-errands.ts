import type { Connection } from './connection.ts';
import type { DeviceHost } from './device-host.ts';

/** What the application around a device does for a token: it asks somebody, which takes its time. */

/** The one at hand has run out: connects once there is another. */
export function connectWithNextToken(conn: Connection): void {
  const { device } = conn;
  const { world, incarnation, tokens } = device;
  world.later(tokens.delay.value, device.index, () => {
    if (device.incarnation !== incarnation) return;
    const token = tokens.renew(world.engine.now);
    // It has been given up meanwhile; the next one has a token at hand.
    if (!conn.deviceOpen) {
      world.probes.hit('token.came-too-late');
      return;
    }
    conn.token = token;
    world.links.connect(conn);
  });
}

/** Its token was refused: the device stands still until it is started with another. */
export function startWithNextToken(device: DeviceHost): void {
  const { world, incarnation, tokens } = device;
  world.probes.hit('token.refused');
  world.later(1 + tokens.delay.value, device.index, () => {
    if (device.incarnation !== incarnation || device.status !== 'unauthenticated') return;
    tokens.renew(world.engine.now);
    device.act({ kind: 'start' });
  });
}
