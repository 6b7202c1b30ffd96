import { hasElapsed } from '../contract/elapsed.ts';
import type { ChatId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { ReceiptCount } from '../contract/records.ts';
import type { Micros } from '../contract/time.ts';

/**
 * Counting the receipts of large chats. Rows of kind `counts` say only that something has moved; the truth is counted from
 * the watermarks. A row stands for every count that begins after it was read, so of several rows for one chat one is kept,
 * and goes when what its count found is published: a relay that dies has counted too often, never too seldom.
 */
export interface Recounts {
  readonly chats: Map<ChatId, Recount>;
  /** Chats whose next count is not yet due. */
  readonly waiting: Set<Recount>;
  armed: boolean;
}

export interface Recount {
  readonly chatId: ChatId;
  /** The row that a count which has not begun will settle. */
  row: number | undefined;
  counting: boolean;
  /** When the last count began; undefined before the first. */
  countedAt: Micros | undefined;
  /** What the senders were told last. */
  told: readonly ReceiptCount[];
}

export function newRecounts(): Recounts {
  return { chats: new Map(), waiting: new Set(), armed: false };
}

/** @returns whether the row is needed; one that is not may be deleted at once. */
export function noteRow(recounts: Recounts, chatId: ChatId, row: number, limits: Limits): boolean {
  const chat = recountOf(recounts, chatId, limits);
  if (chat.row !== undefined) return false;
  chat.row = row;
  if (!chat.counting) recounts.waiting.add(chat);
  return true;
}

function recountOf({ chats }: Recounts, chatId: ChatId, limits: Limits): Recount {
  const known = chats.get(chatId);
  if (known !== undefined) return known;
  if (chats.size >= limits.relayInFlight) forgetIdle(chats, limits);
  const chat = { chatId, row: undefined, counting: false, countedAt: undefined, told: [] };
  chats.set(chatId, chat);
  return chat;
}

/**
 * Chats looked at, at most, when one is to be forgotten: its senders are told the same once more. What is busy goes to the
 * end, so that the next look begins with others: a few chats that are always busy must not hide all that are idle.
 */
const LOOKS = 8;

function forgetIdle(chats: Map<ChatId, Recount>, limits: Limits): void {
  let looks = LOOKS;
  for (const chat of chats.values()) {
    if (looks-- === 0 || chats.size < limits.relayInFlight) return;
    chats.delete(chat.chatId);
    if (chat.counting || chat.row !== undefined) chats.set(chat.chatId, chat);
  }
}

/** Takes the chats that may be counted now. Rows that wait must not fill the relay, so too many are counted early. */
export function takeDue(
  recounts: Recounts,
  limits: Limits,
  now: Micros,
): { readonly chatId: ChatId; readonly row: number }[] {
  const due = [];
  for (const chat of recounts.waiting) {
    const { chatId, row, countedAt } = chat;
    const early = countedAt !== undefined && !hasElapsed(countedAt, limits.countInterval, now);
    if (row === undefined || (early && recounts.waiting.size <= limits.relayInFlight / 2)) continue;
    recounts.waiting.delete(chat);
    chat.row = undefined;
    chat.counting = true;
    chat.countedAt = now;
    due.push({ chatId, row });
  }
  return due;
}

/** A count has ended. @returns what its senders do not know yet. */
export function takeCounted(
  recounts: Recounts,
  chatId: ChatId,
  counts: readonly ReceiptCount[],
): readonly ReceiptCount[] {
  const chat = recounts.chats.get(chatId);
  if (chat === undefined) return counts;
  chat.counting = false;
  if (chat.row !== undefined) recounts.waiting.add(chat);
  const before = new Map(chat.told.map((count) => [count.seq, count]));
  chat.told = counts;
  return counts.filter(({ seq, deliveredCount, readCount }) => {
    const told = before.get(seq);
    return deliveredCount > (told?.deliveredCount ?? 0) || readCount > (told?.readCount ?? 0);
  });
}
