import type { ChatId, ConnId, ServerMsgId } from '../contract/ids.ts';
import type { PongFrame } from '../wire/frames.ts';
import { type Device, type Inbox, isUp, type Out } from './device-state.ts';
import { flushReceipts } from './inbox.ts';

/**
 * READ has no answer: what an earlier connection carried may be lost, so it is said again on the next. Once is enough, on a
 * connection that listed the chat (its shard answered) and that answered a PING behind it. Without that end each connect
 * would repeat one READ for every chat that was ever read.
 */

export function onRead(device: Device, chatId: ChatId, out: Out): void {
  const inbox = device.chats.get(chatId);
  if (inbox?.lastOther === undefined || inbox.read?.serverMsgId === inbox.lastOther) return;
  const conn = device.link.stage === 'live' ? device.link.conn : undefined;
  inbox.read = { serverMsgId: inbox.lastOther, conn, stage: 'said' };
  if (conn === undefined) return;
  // DELIVERED first: it moves the cursor, and the server takes READ only at or below it.
  flushReceipts(device, out);
  sayRead(inbox.chatId, inbox.lastOther, conn, out);
}

function sayRead(chatId: ChatId, serverMsgId: ServerMsgId, conn: ConnId, out: Out): void {
  out.push({ kind: 'frame', conn, frame: { frame: 'RECEIPT', chatId, serverMsgId, type: 'READ' } });
}

/** The last READ of a chat was refused for its rate: it has not arrived, whatever follows it. */
export function onReadRefused(device: Device, chatId: ChatId): void {
  const read = device.chats.get(chatId)?.read;
  if (read !== undefined) read.stage = 'said';
}

/** The last READ of a chat, when it was this connection that carried it. */
export function sayReadAgain(device: Device, chatId: ChatId, conn: ConnId, out: Out): void {
  const read = device.chats.get(chatId)?.read;
  if (read?.conn === conn) sayRead(chatId, read.serverMsgId, conn, out);
}

/** SYNCED: says again what earlier connections carried; what none has carried yet comes first. */
export function beginReads(device: Device, conn: ConnId, out: Out): void {
  const { reads } = device;
  const again: Inbox[] = [];
  reads.due = [];
  for (const inbox of device.chats.values()) {
    const { read } = inbox;
    if (read === undefined || read.stage === 'settled' || read.conn === conn) continue;
    (read.conn === undefined ? reads.due : again).push(inbox);
  }
  reads.due.push(...again);
  sayReads(device, conn, out);
}

/** A page at a time, one for each heartbeat, so that many chats do not use up the rate that a connection is allowed. */
export function sayReads(device: Device, conn: ConnId, out: Out): void {
  const { reads, limits } = device;
  if (reads.due.length === 0) return;
  for (const inbox of reads.due.splice(0, limits.readPage)) {
    const { read } = inbox;
    if (read === undefined || read.conn === conn) continue;
    read.stage = read.conn === undefined ? 'said' : 'repeated';
    read.conn = conn;
    sayRead(inbox.chatId, read.serverMsgId, conn, out);
    if (read.stage === 'repeated') reads.repeated.push(inbox);
  }
}

/** The gateway has handled all that was sent before the PING that it answers. */
export function onPong(device: Device, conn: ConnId, frame: PongFrame): void {
  const { reads, link } = device;
  if (!isUp(link) || frame.t !== link.pingedAt) return;
  for (const { read, listed } of reads.repeated) {
    if (read?.stage === 'repeated' && read.conn === conn && listed === conn) read.stage = 'settled';
  }
  reads.repeated = [];
}

/** The connection is gone, and with it perhaps what it carried. */
export function forgetReads(device: Device): void {
  device.reads.due = [];
  device.reads.repeated = [];
}
