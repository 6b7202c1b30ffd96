import type { UserId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { DeliveryEvent, DeliveryItem, OutboxRow } from '../contract/records.ts';
import type { ReadMembersResult } from '../contract/store.ts';

/** What a row of the outbox becomes: one delivery event per recipient. The same plan serves inline and paged fan-out. */

/** The item that all recipients of a row share. The store left a long ciphertext out; the session fetches it. */
export function itemOf(row: Exclude<OutboxRow, { kind: 'counts' }>): DeliveryItem {
  if (row.kind === 'receipt') return { kind: 'receipt', receipt: row.receipt };
  return { kind: 'message', message: row.message };
}

type MessageRow = Extract<OutboxRow, { kind: 'message' }>;
type MembersPage = Extract<ReadMembersResult, { outcome: 'ok' }>;

/**
 * The events of one page of a group that is too large to list. In a huge one only active members are told: who neither got
 * nor wrote any of the `activeDistance` messages before this one has not been there for them, and everything is there for
 * him when he comes back. The sender writes, so he is there. Of the first `activeDistance` messages of a group that has just
 * grown huge everybody is told, active or not: it is by those that sessions learn to look for themselves.
 */
export function planPage(
  row: MessageRow,
  { users, positions, size }: MembersPage,
  limits: Limits,
  events: DeliveryEvent[],
): void {
  const item = itemOf(row);
  const { seq, from } = row.message;
  if (size > limits.hugeGroup && item.kind === 'message') {
    const active = users.filter((user, i) => isActive(positions[i] ?? 0, seq, limits) || user === from);
    planRecipients({ ...item, huge: true }, active, events);
  } else planRecipients(item, users, events);
}

/** @param position how far the member had come when the page was read; `seq` may be among it already. */
function isActive(position: number, seq: number, limits: Limits): boolean {
  return seq - position <= limits.activeDistance;
}

/** Appends one event per recipient to `events`. The sender is among them, for the sake of the sender's other devices. */
export function planRecipients(
  item: DeliveryItem,
  recipients: readonly UserId[],
  events: DeliveryEvent[],
): void {
  for (const recipient of recipients) events.push({ recipient, item });
}
