import type { ChatId, DeviceId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import { canSee, isCurrent } from '../../core/sequencing/membership.ts';
import type { CountedMember } from '../../core/receipts/count-receipts.ts';
import type { ChatKind, Member, ReceiptRecord, Span, StoredMessage } from '../../core/contract/records.ts';

/** One chat of the store's model: rows of its messages, members, cursors and watermarks. */
export class StoredChat {
  readonly chatId: ChatId;
  readonly kind: ChatKind;
  head = 0;
  version = 0;
  /** Current members. */
  size = 0;
  /** The head when the chat last grew beyond `markAbove` of a change. */
  #grewAt = 0;
  /** *Invariant:* messages[i].seq === i + 1. */
  readonly messages: StoredMessage[] = [];
  readonly members = new Map<UserId, Member>();
  readonly cursors = new Map<DeviceId, number>();
  readonly #delivered = new Map<UserId, ReceiptRecord>();
  readonly #read = new Map<UserId, ReceiptRecord>();
  readonly #seqs = new Map<ServerMsgId, number>();

  constructor(chatId: ChatId, kind: ChatKind) {
    this.chatId = chatId;
    this.kind = kind;
  }

  append(message: StoredMessage): void {
    this.messages.push(message);
    this.#seqs.set(message.serverMsgId, message.seq);
    this.head = message.seq;
  }

  dropContent(seq: number): void {
    const message = this.messages[seq - 1];
    if (message !== undefined) this.messages[seq - 1] = { ...message, ciphertext: '' };
  }

  /** @returns the seq of a message that the user may see and the device has, by its cursor; undefined for any other. */
  seqUpToCursor(
    serverMsgId: ServerMsgId | undefined,
    userId: UserId,
    deviceId: DeviceId,
  ): number | undefined {
    if (serverMsgId === undefined) return undefined;
    const seq = this.#seqs.get(serverMsgId);
    if (seq === undefined || seq > (this.cursors.get(deviceId) ?? 0)) return undefined;
    return canSee(this.members.get(userId)?.spans ?? [], seq) ? seq : undefined;
  }

  /** Moves a user's watermark forward. @returns whether it moved. */
  moveWatermark(receipt: ReceiptRecord): boolean {
    const marks = receipt.type === 'READ' ? this.#read : this.#delivered;
    const before = marks.get(receipt.userId);
    if (before !== undefined && before.seq >= receipt.seq) return false;
    marks.set(receipt.userId, receipt);
    return true;
  }

  delivered(userId: UserId): number {
    return this.#delivered.get(userId)?.seq ?? 0;
  }

  read(userId: UserId): number {
    return this.#read.get(userId)?.seq ?? 0;
  }

  setMember(member: Member, markAbove: number): void {
    const before = this.size;
    if (isCurrent(this.members.get(member.userId)?.spans ?? [])) this.size--;
    if (isCurrent(member.spans)) this.size++;
    this.members.set(member.userId, member);
    if (before <= markAbove && this.size > markAbove) this.#grewAt = this.head;
  }

  /** How far a user who may see `seq` is taken to have come: `positions` of `read-members`. */
  position(userId: UserId, seq: number, authorsWithin: number): number {
    const spans = this.members.get(userId)?.spans ?? [];
    const after = spans.find((span) => span.after < seq && seq <= span.upTo)?.after ?? 0;
    return Math.max(after, this.delivered(userId), this.#wrote(userId, seq, authorsWithin), this.#grewAt);
  }

  /** The newest seq before `seq`, among `within`, that the user wrote; 0: none. */
  #wrote(userId: UserId, seq: number, within: number): number {
    for (let before = seq - 1; before > 0 && before >= seq - within; before--)
      if (this.messages[before - 1]?.from === userId) return before;
    return 0;
  }

  countedMembers(): CountedMember[] {
    return [...this.members.values()].map(({ userId, spans }) => ({
      userId,
      spans,
      delivered: this.#delivered.get(userId),
      read: this.#read.get(userId),
    }));
  }

  /**
   * Watermarks of the others, in a chat of at most `members` current members. Only those of messages within the spans: the
   * message id of a receipt tells that there is a message.
   */
  receiptsFor(userId: UserId, spans: readonly Span[], members: number): readonly ReceiptRecord[] {
    const receipts: ReceiptRecord[] = [];
    if (this.size > members) return receipts;
    for (const marks of [this.#delivered, this.#read])
      for (const receipt of marks.values())
        if (receipt.userId !== userId && canSee(spans, receipt.seq)) receipts.push(receipt);
    return receipts;
  }
}
