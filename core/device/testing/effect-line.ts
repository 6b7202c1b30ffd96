import { MILLISECOND } from '../../contract/time.ts';
import type { ClientFrame } from '../../wire/frames.ts';
import type { DeviceEffect } from '../device-effect.ts';

/** An effect of the device as a line, such as `1 > SEND k1`: on connection 1. */
export function line(effect: DeviceEffect): string {
  switch (effect.kind) {
    case 'connect':
      return `connect ${effect.conn}${effect.transport === 'poll' ? ' by poll' : ''}`;
    case 'disconnect':
      return `disconnect ${effect.conn} ${effect.code}`;
    case 'frame':
      return `${effect.conn} > ${frameLine(effect.frame)}`;
    case 'wake':
      return `wake ${effect.timer} in ${effect.after / MILLISECOND}`;
    case 'outbox-put':
      return `keep ${effect.item.clientMsgId}${effect.item.failed === undefined ? '' : ' as failed'}`;
    case 'outbox-drop':
      return `drop ${effect.clientMsgId}`;
    case 'cursor':
      return `cursor ${effect.chatId} ${effect.seq}`;
    case 'show':
      return `show ${effect.message.chatId} #${effect.message.seq} of ${effect.message.from}`;
    case 'sent':
      return `sent ${effect.clientMsgId} #${effect.seq}`;
    case 'send-failed':
      return `failed ${effect.clientMsgId} ${effect.code}`;
    case 'status':
      return effect.status;
    case 'synced':
    case 'receipt':
    case 'receipt-count':
    case 'presence':
    case 'typing':
      return effect.kind;
  }
}

function frameLine(f: ClientFrame): string {
  switch (f.frame) {
    case 'SEND':
      return `SEND ${f.clientMsgId}`;
    case 'RECEIPT':
      return `${f.type} ${f.chatId} ${f.serverMsgId}`;
    case 'RESUME':
      return ['RESUME', ...f.cursors.map(([chat, seq]) => `${chat} ${seq}`)].join(' ');
    case 'SYNC':
      return `SYNC ${f.chatId} after ${f.afterSeq}`;
    case 'PING':
    case 'PONG':
      return f.frame;
    case 'OPEN':
    case 'CLOSE':
    case 'TYPING':
      return `${f.frame} ${f.chatId}`;
  }
}
