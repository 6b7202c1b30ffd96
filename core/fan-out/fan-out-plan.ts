import type { UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type {
  DeliveryEvent,
  DeliveryItem,
  DeliveryMessage,
  OutboxRow,
  StoredMessage,
} from '../contract/records.ts';

/** What a row of the outbox becomes: one delivery event per recipient. The same plan serves inline and paged fan-out. */

/** The item that all recipients of a row share. A long ciphertext stays in the store; the session fetches it. */
export function itemOf(row: OutboxRow, limits: Limits): DeliveryItem {
  if (row.kind === 'receipt') return { kind: 'receipt', receipt: row.receipt };
  return { kind: 'message', message: travelling(row.message, limits) };
}

function travelling(message: StoredMessage, limits: Limits): DeliveryMessage {
  return message.ciphertext.length <= limits.inlineCiphertext
    ? message
    : { ...message, ciphertext: undefined };
}

/** Appends one event per recipient to `events`. The sender is among them, for the sake of the sender's other devices. */
export function planRecipients(
  item: DeliveryItem,
  recipients: readonly UserId[],
  events: DeliveryEvent[],
): void {
  for (const recipient of recipients) events.push({ recipient, item });
}
