import { SECOND } from '../../contract/time.ts';
import type { ServerFrame } from '../../wire/frames.ts';
import type { GatewayEffect } from '../gateway-effect.ts';
import type { ServiceRequest } from '../service-call.ts';

/** An effect of the gateway as a line, such as `1 < MESSAGE c_1 #6 prev 5`: to connection 1. */
export function line(effect: GatewayEffect): string {
  switch (effect.kind) {
    case 'frame':
      return `${effect.conn} < ${frameLine(effect.frame)}`;
    case 'disconnect':
      return `${effect.conn} close ${effect.code}`;
    case 'open-device':
      return `${effect.conn} open ${effect.deviceId}`;
    case 'claim':
      return `${effect.conn} claim e${effect.entry.epoch}`;
    case 'list-chats':
      return `${effect.conn} list`;
    case 'fetch':
      return `${effect.conn} fetch ${effect.chatId} after ${effect.afterSeq}, ${effect.limit}`;
    case 'request':
      return requestLine(effect.request);
    case 'push-result':
      return `push ${effect.pushId} ${effect.outcome}`;
    case 'renew':
      return `renew ${effect.conns.join()}`;
    case 'release':
      return `release ${effect.entry.deviceId} e${effect.entry.epoch}`;
    case 'evict':
      return `evict ${effect.deviceId} below e${effect.epoch} at ${effect.gatewayId}`;
    case 'wake':
      return `wake ${effect.timer}${effect.conn === undefined ? '' : ` ${effect.conn}`} in ${effect.after / SECOND} s`;
    case 'drained':
      return 'drained';
    case 'confirm-device':
      return `confirm ${effect.deviceId}`;
    case 'read-heads':
      return `heads ${effect.chatIds.join()}`;
    case 'count-receipts':
      return `${effect.conn} count ${effect.request.chatId} of ${effect.request.from}`;
    case 'read-presence':
    case 'watch':
    case 'unwatch':
      return effect.kind;
  }
}

function frameLine(f: ServerFrame): string {
  switch (f.frame) {
    case 'WELCOME':
      return [
        'WELCOME',
        `e${f.sessionEpoch}`,
        ...f.chats.map((c) => `${c.chatId} ${c.cursor}/${c.head}`),
      ].join(' ');
    case 'SYNCED':
      return ['SYNCED', ...f.heads.map(([chat, head]) => `${chat} ${head}`)].join(' ');
    case 'MESSAGE':
      return `MESSAGE ${f.chatId} #${f.seq} prev ${f.prev}${f.clientMsgId === undefined ? '' : ` own ${f.clientMsgId}`}`;
    case 'ACK':
      return `ACK ${f.clientMsgId} #${f.seq}${f.duplicate ? ' duplicate' : ''}`;
    case 'RECEIPT':
      return `RECEIPT ${f.userId ?? `${f.deliveredCount}/${f.readCount}`} ${f.type} #${f.seq}`;
    case 'ERROR':
      return `ERROR ${f.code}${f.clientMsgId === undefined ? '' : ` ${f.clientMsgId}`}`;
    case 'GOAWAY':
      return `GOAWAY ${f.reason}`;
    case 'PING':
    case 'PONG':
      return `${f.frame} ${f.t}`;
    case 'SYNC_END':
      return `SYNC_END ${f.chatId} ${f.head}`;
    case 'TYPING':
      return `TYPING ${f.from}`;
    case 'PRESENCE':
      return `PRESENCE ${f.userId}`;
  }
}

function requestLine(r: ServiceRequest): string {
  if (r.kind === 'submit') return `submit ${r.clientMsgId} of ${r.deviceId}`;
  if (r.kind === 'receipt')
    return `note ${r.type} ${r.chatId} ${r.seq === undefined ? r.serverMsgId : `#${r.seq}`}`;
  return r.kind;
}
