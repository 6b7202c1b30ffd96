import type { ChatId } from '../contract/ids.ts';
import type { Limits } from '../contract/limits.ts';
import type { ReceiptCount, ReceiptRecord } from '../contract/records.ts';
import { canSee } from '../sequencing/membership.ts';
import type { Gateway, Out, Session } from './session-state.ts';

/**
 * Receipts of others on their way to a device, one by one or, in large chats, counted. One is told when the message it
 * speaks of has been sent to the device, and not before SYNCED; until then it waits. What the user may not see is thus
 * never told of, whoever announced it.
 */
export type ReceiptNews = ReceiptRecord | ReceiptCount;

/** @returns whether the device has been sent, or wrote, the message that the receipt speaks of. */
function mayTell(session: Session, receipt: ReceiptNews): boolean {
  const view = session.chats.get(receipt.chatId);
  if (view === undefined || receipt.seq > view.pushed) return false;
  // Counts come to who wrote the message; the spans known here may be older than his coming back.
  if (!('userId' in receipt)) return true;
  // Without spans (a chat that began after WELCOME) everything that was pushed is visible.
  return view.spans.length === 0 || canSee(view.spans, receipt.seq);
}

function tell(session: Session, news: ReceiptNews, out: Out): void {
  const { conn } = session;
  if ('userId' in news) {
    // Field by field: there are more of these than of anything else, and a spread costs as much as the rest of the step.
    const { chatId, userId, type, seq, serverMsgId, at } = news;
    out.push({
      kind: 'frame',
      conn,
      frame: { frame: 'RECEIPT', chatId, userId, type, seq, serverMsgId, at },
    });
    return;
  }
  const { chatId, seq, serverMsgId, deliveredCount, readCount, at } = news;
  const type = readCount > 0 ? 'READ' : 'DELIVERED';
  const counts = { deliveredCount, readCount };
  out.push({
    kind: 'frame',
    conn,
    frame: { frame: 'RECEIPT', chatId, serverMsgId, seq, type, at, ...counts },
  });
}

/** Receipts that wait, by chat: few of each chat (`receiptMembers`), and perhaps of very many chats. */
export interface WaitingReceipts {
  readonly byChat: Map<ChatId, readonly ReceiptNews[]>;
  count: number;
  /** The timer for the next page is armed. */
  armed: boolean;
}

export function newWaitingReceipts(): WaitingReceipts {
  return { byChat: new Map(), count: 0, armed: false };
}

/** What the list of chats tells goes out in its turn. */
export function waitWithAll(session: Session, chatId: ChatId, receipts: readonly ReceiptNews[]): void {
  const before = session.receipts.byChat.get(chatId) ?? [];
  keep(session, chatId, [...before, ...receipts]);
}

/** Tells the device now, or when it can be. @returns false when so many wait that this one cannot. */
export function tellOrWait(gateway: Gateway, session: Session, news: ReceiptNews, out: Out): boolean {
  const { byChat, count } = session.receipts;
  const before = byChat.get(news.chatId);
  if (before === undefined && mayBeToldNow(session) && mayTell(session, news)) {
    tell(session, news, out);
    return true;
  }
  const waiting = withNews(before ?? [], news);
  // Only what adds is too much: what takes the place of another, or says less than it, is taken however many wait.
  if (waiting.length > (before?.length ?? 0) && count >= gateway.limits.chatsPerDevice) return false;
  keep(session, news.chatId, waiting);
  tellOfChat(gateway, session, news.chatId, out);
  return true;
}

/** Not before SYNCED; and what a socket does not take is kept here, where the newest stands for all before it. */
function mayBeToldNow(session: Session): boolean {
  return session.synced && !session.congested;
}

/** A receipt takes the place of one of the same user, or of the counts of the same message, unless that one says more. */
function withNews(waiting: readonly ReceiptNews[], news: ReceiptNews): readonly ReceiptNews[] {
  const before = waiting.find((other) => isSame(other, news));
  if (before === undefined) return [...waiting, news];
  // Pushes may come out of order.
  return saysMore(news, before) ? waiting.map((other) => (other === before ? news : other)) : waiting;
}

function saysMore(news: ReceiptNews, before: ReceiptNews): boolean {
  if ('userId' in news || 'userId' in before) return news.seq >= before.seq;
  return news.deliveredCount + news.readCount >= before.deliveredCount + before.readCount;
}

function isSame(a: ReceiptNews, b: ReceiptNews): boolean {
  if ('userId' in a) return 'userId' in b && a.userId === b.userId && a.type === b.type;
  return !('userId' in b) && a.seq === b.seq;
}

function keep(session: Session, chatId: ChatId, waiting: readonly ReceiptNews[]): void {
  const { receipts } = session;
  receipts.count += waiting.length - (receipts.byChat.get(chatId)?.length ?? 0);
  if (waiting.length > 0) receipts.byChat.set(chatId, waiting);
  else receipts.byChat.delete(chatId);
}

/** What a RECEIPT frame costs, roughly. */
const RECEIPT_BYTES = 256;

/** A page is a small part of what a socket's buffer takes: the rest of it is for messages. */
function pageOf({ receiptPage, socketBufferBytes }: Limits): number {
  return Math.max(1, Math.min(receiptPage, Math.floor(socketBufferBytes / (8 * RECEIPT_BYTES))));
}

/** Tells of what has waited for messages of this chat that were sent meanwhile, a page of it at most. @returns how many. */
export function tellOfChat(
  gateway: Gateway,
  session: Session,
  chatId: ChatId,
  out: Out,
  most: number = pageOf(gateway.limits),
): number {
  const waiting = session.receipts.byChat.get(chatId);
  if (waiting === undefined || session.receipts.armed || !mayBeToldNow(session)) return 0;
  const left: ReceiptNews[] = [];
  let told = 0;
  for (const receipt of waiting) {
    if (!mayTell(session, receipt)) left.push(receipt);
    else if (told === most) {
      left.push(receipt);
      armPage(gateway, session, out);
    } else {
      tell(session, receipt, out);
      told++;
    }
  }
  if (told > 0) keep(session, chatId, left);
  return told;
}

function armPage(gateway: Gateway, session: Session, out: Out): void {
  if (session.receipts.armed) return;
  session.receipts.armed = true;
  out.push({ kind: 'wake', timer: 'receipts', conn: session.conn, after: gateway.limits.sessionRetry });
}

/**
 * Tells of what has waited, a page at a time: what all members of a thousand groups have received would fill a socket's
 * buffer by itself, and a device that is closed for that would come back to the same.
 */
export function tellReceipts(gateway: Gateway, session: Session, out: Out): void {
  const { receipts } = session;
  if (receipts.count === 0 || receipts.armed || !mayBeToldNow(session)) return;
  let room = pageOf(gateway.limits);
  for (const chatId of receipts.byChat.keys()) {
    room -= tellOfChat(gateway, session, chatId, out, room);
    if (room === 0) armPage(gateway, session, out);
    if (receipts.armed) return;
  }
}

export function onReceiptsTimer(gateway: Gateway, session: Session, out: Out): void {
  session.receipts.armed = false;
  tellReceipts(gateway, session, out);
}
