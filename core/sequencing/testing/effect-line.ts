import { OPEN_END } from '../../contract/records.ts';
import type { MessageServiceEffect } from '../message-service-effect.ts';

/** How many ids one instance makes; those of instance 1 begin here. */
export const IDS = 2 ** 32;

/** `m_4294967297` is the first id of instance 1: `m1` here. */
const short = (id: string): string => `m${Number(id.slice(2)) - IDS}`;

/** An effect of the message service as a line, such as `ack gw-1/1 k1 #5 m1`: to connection 1 of gateway gw-1. */
export function line(effect: MessageServiceEffect): string {
  switch (effect.kind) {
    case 'load-chat': {
      const { chatId, sends } = effect.request;
      return `load ${chatId} asking ${sends.length === 0 ? 'nothing' : sends.map((s) => s.clientMsgId).join()}`;
    }
    case 'append': {
      const { chatId, expectHead, expectVersion, messages, recipients } = effect.request;
      const rows = messages
        .map((m) => `#${m.seq} ${m.from} ${m.clientMsgId} ${short(m.serverMsgId)}`)
        .join(', ');
      return `append ${chatId} at head ${expectHead} v${expectVersion}: ${rows} -> ${recipients?.join() ?? 'pages'}`;
    }
    case 'change-member': {
      const { chatId, expectHead, expectVersion, member } = effect.request;
      const spans = member.spans.map((s) => `(${s.after},${s.upTo === OPEN_END ? '…' : s.upTo}]`).join('');
      return `change ${chatId} at head ${expectHead} v${expectVersion}: ${member.userId} ${member.role} ${spans}`;
    }
    case 'create-chat': {
      const { kind, members } = effect.request;
      return `create ${kind}: ${members.map((m) => `${m.userId} ${m.role}`).join(', ')}`;
    }
    case 'reply': {
      const { reply } = effect;
      const to = `${effect.node}/${reply.conn}`;
      if (reply.kind === 'ack')
        return `ack ${to} ${reply.clientMsgId} #${reply.seq} ${short(reply.serverMsgId)}${reply.duplicate ? ' duplicate' : ''}`;
      if (reply.kind === 'refused')
        return `refuse ${to} ${reply.clientMsgId ?? reply.chatId ?? ''} ${reply.code}`;
      if (reply.kind === 'members') return `members ${to} ${reply.users.join()}`;
      if (reply.kind === 'chat-created')
        return `created ${to} ${reply.chatId}${reply.created ? '' : ' (was there)'}`;
      return `changed ${to}`;
    }
    case 'wake':
      return `wake ${effect.timer}`;
    case 'publish-transient':
      return `typing -> ${effect.events.map((e) => e.recipient).join()}`;
    case 'save-receipts':
      return `save ${effect.writes.length}`;
    case 'outbox-hint':
      return 'hint';
  }
}
