import type { OpenDeviceRequest, OpenDeviceResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { requireDecimal } from './postgres-id.ts';

/** Opens many devices in one transaction: after a gateway died, thousands come at once. */
export const deviceGroup: GroupKind<OpenDeviceRequest, OpenDeviceResult> = {
  name: 'open-device',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'unknown' },
  items: () => 1,
  bytes: () => 0,
  keys: ({ userId, deviceId }) => [`${userId} ${deviceId}`],
  run(connection, requests, done) {
    const users = new ArrayColumn();
    const devices = new ArrayColumn();
    for (const { userId, deviceId } of requests) {
      users.digits(requireDecimal(userId, 'u_'));
      devices.digits(requireDecimal(deviceId, 'd_'));
    }
    const statement = { name: 'open_devices', text: OPEN, values: [users.literal(), devices.literal()] };
    connection.write([statement], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const epochs = new Map<string, number>();
      for (const [user, device, epoch] of result.rows[0] ?? [])
        epochs.set(`u_${user} d_${device}`, Number(epoch));
      const results = requests.map(({ userId, deviceId }) => {
        const epoch = epochs.get(`${userId} ${deviceId}`) ?? 0;
        // One shard: a device that it has seen, every shard has.
        return { outcome: 'ok', epoch, confirmed: true } as const;
      });
      done({ kind: 'done', results });
    });
  },
};

/**
 * Epoch 1 is a device seen for the first time: its cursors start at the last seq its user may see in each chat. Sorted,
 * so that two of these lock in the same order.
 */
const OPEN = `
  WITH opened AS (
    INSERT INTO devices (user_id, device_id, epoch)
    SELECT o.usr, o.device, 1 FROM unnest($1::bigint[], $2::bigint[]) AS o(usr, device) ORDER BY o.usr, o.device
    ON CONFLICT (user_id, device_id) DO UPDATE SET epoch = devices.epoch + 1
    RETURNING user_id, device_id, epoch
  ), started AS (
    INSERT INTO cursors (user_id, device_id, chat_id, seq)
    SELECT o.user_id, o.device_id, c.chat_id, visible.head
      FROM opened o
      JOIN members m ON m.user_id = o.user_id
      JOIN chats c ON c.chat_id = m.chat_id
     CROSS JOIN LATERAL (
       SELECT max(least(c.head, s.up_to)) AS head
         FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to) WHERE least(c.head, s.up_to) > s.after
     ) AS visible
     WHERE o.epoch = 1 AND visible.head > 0
     ORDER BY o.user_id, o.device_id, c.chat_id
    ON CONFLICT (user_id, device_id, chat_id) DO UPDATE SET seq = excluded.seq WHERE cursors.seq < excluded.seq
  )
  SELECT user_id, device_id, epoch FROM opened`;
