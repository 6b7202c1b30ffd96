import type { ChatId } from '../contract/ids.ts';
import type {
  AppendResult,
  ChangeMemberResult,
  CreateChatResult,
  LoadResult,
  SaveReceiptsResult,
} from '../contract/store.ts';
import type { ServiceRequest } from '../session/service-call.ts';

/** What a message service is told. Completions repeat the `call` of the effect that asked. */
export type MessageServiceEvent =
  | { readonly kind: 'request'; readonly request: ServiceRequest }
  | { readonly kind: 'loaded'; readonly call: number; readonly chatId: ChatId; readonly result: LoadResult }
  | {
      readonly kind: 'appended';
      readonly call: number;
      readonly chatId: ChatId;
      readonly result: AppendResult;
    }
  | {
      readonly kind: 'member-changed';
      readonly call: number;
      readonly chatId: ChatId;
      readonly result: ChangeMemberResult;
    }
  | { readonly kind: 'chat-created'; readonly call: number; readonly result: CreateChatResult }
  | { readonly kind: 'receipts-saved'; readonly call: number; readonly result: SaveReceiptsResult }
  | { readonly kind: 'wake'; readonly timer: MessageServiceTimer };

export type MessageServiceTimer = 'retry' | 'receipts';
