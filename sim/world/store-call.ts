import type { UserId } from '../../core/contract/ids.ts';
import type { RelayEffect } from '../../core/fan-out/relay-effect.ts';
import type { MessageServiceEffect } from '../../core/sequencing/message-service-effect.ts';
import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { MessageStoreModel } from './message-store.ts';

type Of<Effect extends { readonly kind: string }, Kind extends string> = Extract<
  Effect,
  { readonly kind: Kind }
>;

/** With who asked for it. The store of production is not told; this one tells the oracles. */
type ChangeMemberCall = Of<MessageServiceEffect, 'change-member'> & { readonly by: UserId | undefined };

/** Every effect that is a call of the message store. */
export type StoreCall =
  | Of<
      GatewayEffect,
      'open-device' | 'confirm-device' | 'list-chats' | 'fetch' | 'read-heads' | 'count-receipts'
    >
  | Of<MessageServiceEffect, 'load-chat' | 'append' | 'create-chat' | 'save-receipts'>
  | ChangeMemberCall
  | Of<RelayEffect, 'read-outbox' | 'read-members' | 'delete-outbox' | 'count-receipts'>;

/** Whether the call may change something: then its outcome may be unknown. */
export function isWrite(call: StoreCall): boolean {
  switch (call.kind) {
    case 'list-chats':
    case 'fetch':
    case 'load-chat':
    case 'read-outbox':
    case 'read-members':
    case 'read-heads':
    case 'count-receipts':
      return false;
    default:
      return true;
  }
}

/** Carries the call out. @returns the completion event for the machine that asked; undefined for a call without answer. */
export function carryOut(store: MessageStoreModel, call: StoreCall): object | undefined {
  switch (call.kind) {
    case 'open-device':
      return { kind: 'device-opened', conn: call.conn, result: store.openDevice(call) };
    case 'confirm-device':
      store.confirmDevice(call);
      return undefined;
    case 'list-chats':
      return { kind: 'chats', conn: call.conn, result: store.listChats(call) };
    case 'fetch':
      return {
        kind: 'fetched',
        conn: call.conn,
        call: call.call,
        chatId: call.chatId,
        result: store.fetch(call),
      };
    case 'load-chat': {
      const { chatId } = call.request;
      return { kind: 'loaded', call: call.call, chatId, result: store.loadChat(call.request) };
    }
    case 'append': {
      const { chatId } = call.request;
      return { kind: 'appended', call: call.call, chatId, result: store.append(call.request) };
    }
    case 'change-member': {
      const { chatId } = call.request;
      const result = store.changeMember(call.request, call.by);
      return { kind: 'member-changed', call: call.call, chatId, result };
    }
    case 'create-chat':
      return { kind: 'chat-created', call: call.call, result: store.createChat(call.request) };
    case 'save-receipts':
      return { kind: 'receipts-saved', call: call.call, result: store.saveReceipts(call.writes) };
    case 'read-outbox':
      return { kind: 'outbox', call: call.call, result: store.readOutbox(call.request) };
    case 'read-heads':
      return { kind: 'heads', result: store.readHeads(call) };
    case 'count-receipts':
      return counted(call, store.countReceipts(call.request));
    case 'read-members':
      return { kind: 'members', call: call.call, result: store.readMembers(call.request) };
    case 'delete-outbox':
      return { kind: 'deleted', call: call.call, result: store.deleteOutbox(call.ids) };
  }
}

/** A gateway knows its count by the session, a relay by a number. */
function counted(call: Of<StoreCall, 'count-receipts'>, result: object): object {
  return 'conn' in call
    ? { kind: 'counted', conn: call.conn, chatId: call.request.chatId, result }
    : { kind: 'counted', call: call.call, result };
}

/** @returns the completion of a call that did not go well, as seen by its caller. */
export function failedCall(call: StoreCall, outcome: 'failed' | 'unknown'): object | undefined {
  const result = { outcome };
  switch (call.kind) {
    case 'open-device':
      return { kind: 'device-opened', conn: call.conn, result };
    case 'confirm-device':
      return undefined;
    case 'list-chats':
      return { kind: 'chats', conn: call.conn, result };
    case 'fetch':
      return { kind: 'fetched', conn: call.conn, call: call.call, chatId: call.chatId, result };
    case 'load-chat':
      return { kind: 'loaded', call: call.call, chatId: call.request.chatId, result };
    case 'append':
      return { kind: 'appended', call: call.call, chatId: call.request.chatId, result };
    case 'change-member':
      return { kind: 'member-changed', call: call.call, chatId: call.request.chatId, result };
    case 'create-chat':
      return { kind: 'chat-created', call: call.call, result };
    case 'save-receipts':
      return { kind: 'receipts-saved', call: call.call, result };
    case 'read-outbox':
      return { kind: 'outbox', call: call.call, result };
    case 'read-heads':
      return { kind: 'heads', result };
    case 'count-receipts':
      return counted(call, result);
    case 'read-members':
      return { kind: 'members', call: call.call, result };
    case 'delete-outbox':
      return { kind: 'deleted', call: call.call, result };
  }
}
