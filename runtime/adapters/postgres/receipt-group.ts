import type { ReceiptWrite, SaveReceiptsResult } from '../../../core/contract/store.ts';
import { ArrayColumn } from './array-column.ts';
import type { GroupKind } from './group-lane.ts';
import { requireDecimal } from './postgres-id.ts';
import { RangesColumn } from './ranges-column.ts';
import type { Statement } from './store-connection.ts';

const OK = { outcome: 'ok' } as const;
const NO_KEYS: readonly string[] = [];

/** Saves the receipts of many calls in one transaction, in the order in which they came, through `save_receipts`. */
export const receiptGroup: GroupKind<readonly ReceiptWrite[], SaveReceiptsResult> = {
  name: 'receipts',
  // Devices gather receipts for longer than that, and each commit delays those that senders wait for.
  lingerMs: 100,
  failed: { outcome: 'failed' },
  unknown: { outcome: 'unknown' },
  items: (writes) => writes.length,
  bytes: () => 0,
  keys: () => NO_KEYS,
  run(connection, calls, done) {
    connection.write([receiptStatement(calls.flat())], (result) => {
      if (result.kind === 'committed') done({ kind: 'done', results: calls.map(() => OK) });
      else done(result);
    });
  },
};

function receiptStatement(writes: readonly ReceiptWrite[]): Statement {
  const [chat, user, device, type, id, seq, at, counted] = newColumns();
  const recipients = new RangesColumn();
  for (const write of writes) {
    chat.digits(requireDecimal(write.chatId, 'c_'));
    user.digits(requireDecimal(write.userId, 'u_'));
    device.digits(requireDecimal(write.deviceId, 'd_'));
    type.digits(write.type === 'DELIVERED' ? 1 : 2);
    id.digits(write.serverMsgId === undefined ? undefined : requireDecimal(write.serverMsgId, 'm_'));
    seq.digits(write.seq);
    at.digits(write.at);
    recipients.add(write.recipients);
    counted.plain(write.counted ? 't' : 'f');
  }
  const values = [chat, user, device, type, id, seq, at].map((column) => column.literal());
  return {
    name: 'save_receipts',
    text: SAVE,
    values: [...values, ...recipients.literals(), counted.literal()],
  };
}

function newColumns() {
  const column = (): ArrayColumn => new ArrayColumn();
  return [column(), column(), column(), column(), column(), column(), column(), column()] as const;
}

const SAVE = `
  SELECT save_receipts($1::bigint[], $2::bigint[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[],
    $7::bigint[], $8::int[], $9::int[], $10::bigint[], $11::boolean[])`;
