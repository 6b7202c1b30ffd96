import type { DeviceId, UserId } from '../../../core/contract/ids.ts';
import type { OpenDeviceRequest, OpenDeviceResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { requireDecimal } from './postgres-id.ts';
import type { Statement } from './store-connection.ts';

/** Opens many devices in one transaction: after a gateway died, thousands come at once. */
export const deviceGroup: GroupKind<OpenDeviceRequest, OpenDeviceResult> = {
  name: 'open-device',
  failed: { outcome: 'failed' },
  unknown: { outcome: 'unknown' },
  items: () => 1,
  bytes: () => 0,
  keys: ({ userId, deviceId }) => [`${userId} ${deviceId}`],
  run(connection, requests, done) {
    const values = deviceColumns(requests);
    connection.write([registration(values), { name: 'open_devices', text: OPEN, values }], (result) => {
      if (result.kind !== 'committed') {
        done(result);
        return;
      }
      const opened = new Map<string, OpenDeviceResult>();
      for (const [user, device, epoch, confirmed] of result.rows[1] ?? []) {
        const answer = { outcome: 'ok', epoch: Number(epoch), confirmed: confirmed === 't' } as const;
        opened.set(`u_${user} d_${device}`, answer);
      }
      const results = requests.map(
        ({ userId, deviceId }) => opened.get(`${userId} ${deviceId}`) ?? deviceGroup.failed,
      );
      done({ kind: 'done', results });
    });
  },
};

/** Nobody waits for it: a session whose list is complete says so again at its next opening. */
export const confirmGroup: GroupKind<DeviceKey, undefined> = {
  name: 'confirm-device',
  lingerMs: 10,
  failed: undefined,
  unknown: undefined,
  items: () => 1,
  bytes: () => 0,
  keys: () => [],
  run(connection, requests, done) {
    const statement = { name: 'confirm_devices', text: CONFIRM, values: deviceColumns(requests) };
    connection.write([statement], (result) => {
      if (result.kind === 'committed') done({ kind: 'done', results: requests.map(() => undefined) });
      else done(result);
    });
  },
};

interface DeviceKey {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/** Users and devices as two parallel arrays. */
export function deviceColumns(keys: readonly DeviceKey[]): readonly [string, string] {
  const users = new ArrayColumn();
  const devices = new ArrayColumn();
  for (const { userId, deviceId } of keys) {
    users.digits(requireDecimal(userId, 'u_'));
    devices.digits(requireDecimal(deviceId, 'd_'));
  }
  return [users.literal(), devices.literal()];
}

/**
 * Makes devices known to this shard: one that it has not seen starts at the last seq that its user may see in each chat
 * here. Whoever inserts the device's row moves its cursors, so of two that meet only one does. A device that was never
 * opened here has epoch 0: on every shard but its user's home it stays so.
 */
export function registration(values: readonly [string, string]): Statement {
  return { name: 'register_devices', text: REGISTER, values };
}

/** Sorted, so that two of these insert in the same order. */
const REGISTER = `
  WITH fresh AS (
    INSERT INTO devices (user_id, device_id, epoch)
    SELECT DISTINCT o.usr, o.device, 0 FROM unnest($1::bigint[], $2::bigint[]) AS o(usr, device) ORDER BY o.usr, o.device
    ON CONFLICT (user_id, device_id) DO NOTHING
    RETURNING user_id, device_id
  )
  INSERT INTO cursors (user_id, device_id, chat_id, seq)
  SELECT o.user_id, o.device_id, c.chat_id, visible.head
    FROM fresh o
    JOIN members m ON m.user_id = o.user_id
    JOIN chats c ON c.chat_id = m.chat_id
   CROSS JOIN LATERAL (
     SELECT max(least(c.head, s.up_to)) AS head
       FROM unnest(m.span_after, m.span_up_to) AS s(after, up_to) WHERE least(c.head, s.up_to) > s.after
   ) AS visible
   WHERE visible.head > 0
   ORDER BY o.user_id, o.device_id, c.chat_id
  ON CONFLICT (user_id, device_id, chat_id) DO UPDATE SET seq = excluded.seq WHERE cursors.seq < excluded.seq`;

/** A statement of its own, so that it sees the rows that the registration inserted, or waited for. */
const OPEN = `
  UPDATE devices d SET epoch = d.epoch + 1
    FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS r(usr, device) ORDER BY r.usr, r.device) AS o
   WHERE d.user_id = o.usr AND d.device_id = o.device
  RETURNING d.user_id, d.device_id, d.epoch, d.confirmed`;

const CONFIRM = `
  UPDATE devices d SET confirmed = true
    FROM (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS r(usr, device) ORDER BY r.usr, r.device) AS o
   WHERE d.user_id = o.usr AND d.device_id = o.device AND NOT d.confirmed`;
