import type { NodeId } from '../contract/ids.ts';
import type { DeliveryEvent } from '../contract/records.ts';
import type {
  AppendRequest,
  ChangeMemberRequest,
  CreateChatRequest,
  LoadRequest,
  ReceiptWrite,
} from '../contract/store.ts';
import type { ServiceReply } from '../session/service-call.ts';
import type { MessageServiceTimer } from './message-service-event.ts';

/**
 * What a message service asks of its shell. Store calls of different chats may share a transaction or run side by side;
 * for one chat there is at most one write under way. A `reply` is sent only for what is durable: the shell may send it
 * at once.
 */
export type MessageServiceEffect =
  /** -> `loaded` */
  | { readonly kind: 'load-chat'; readonly call: number; readonly request: LoadRequest }
  /** -> `appended` */
  | { readonly kind: 'append'; readonly call: number; readonly request: AppendRequest }
  /** -> `member-changed` */
  | { readonly kind: 'change-member'; readonly call: number; readonly request: ChangeMemberRequest }
  /** -> `chat-created` */
  | { readonly kind: 'create-chat'; readonly call: number; readonly request: CreateChatRequest }
  /** -> `receipts-saved` */
  | { readonly kind: 'save-receipts'; readonly call: number; readonly writes: readonly ReceiptWrite[] }
  /** To the node that asked; may be lost. */
  | { readonly kind: 'reply'; readonly node: NodeId; readonly reply: ServiceReply }
  /** Rows were committed to the outbox: wake the relay. Best effort. */
  | { readonly kind: 'outbox-hint' }
  /** Straight to the delivery queue, without the outbox: for what is best effort (typing). No answer. */
  | { readonly kind: 'publish-transient'; readonly events: readonly DeliveryEvent[] }
  /** One-shot; replaces a pending wake-up of the same timer. */
  | { readonly kind: 'wake'; readonly timer: MessageServiceTimer; readonly after: number };
