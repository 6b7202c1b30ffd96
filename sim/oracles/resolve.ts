import type { ClientMsgId, ServerMsgId } from '../../core/contract/ids.ts';
import type { History } from './history.ts';
import type { Observation, Seen } from './observation.ts';

type Kind = Observation['kind'];

const nothing = (): void => {};

/**
 * Finds the numbers of what an observation speaks of. A line for each kind, though many are alike: each sees objects of one
 * shape only.
 */
export const RESOLVERS: { readonly [K in Kind]: (history: History, o: Seen<K>) => void } = {
  device(history, o) {
    history.device = history.deviceOf(o.deviceId, o.userId);
    history.user = history.deviceUser[history.device]!;
  },
  send(history, o) {
    history.place(o.deviceId, o.chatId);
    findSend(history, o.clientMsgId);
  },
  acked(history, o) {
    history.place(o.deviceId, o.chatId);
    findSend(history, o.clientMsgId);
    findMessage(history, o.serverMsgId);
  },
  'send-failed'(history, o) {
    history.place(o.deviceId, o.chatId);
    findSend(history, o.clientMsgId);
  },
  'sent-again'(history, o) {
    history.place(o.deviceId, o.chatId);
    findSend(history, o.clientMsgId);
  },
  'start-cursor': (history, o) => history.place(o.deviceId, o.chatId),
  shown(history, o) {
    history.place(o.deviceId, o.chatId);
    findMessage(history, o.serverMsgId);
  },
  'receipt-sent'(history, o) {
    history.place(o.deviceId, o.chatId);
    findMessage(history, o.serverMsgId);
  },
  read: (history, o) => history.place(o.deviceId, o.chatId),
  'receipt-shown'(history, o) {
    history.place(o.deviceId, o.receipt.chatId);
    history.authorSeat = history.seatOf(history.userOf(o.receipt.userId), history.chat);
  },
  'count-shown'(history, o) {
    history.place(o.deviceId, o.chatId);
    findMessage(history, o.serverMsgId);
  },
  'presence-shown'(history, o) {
    history.device = history.deviceOf(o.deviceId, undefined);
    history.user = history.userOf(o.userId);
  },
  watching: (history, o) => history.place(o.deviceId, o.chatId),
  'device-live': findDevice,
  'held-back': findDevice,
  'sent-on': findDevice,
  asked: (history, o) => history.place(o.deviceId, o.chatId),
  'read-for': (history, o) => history.sit(o.userId, o.chatId),
  'change-confirmed': (history, o) => history.sit(o.userId, o.chatId),
  admitted(history, o) {
    findDevice(history, o);
    findSend(history, o.clientMsgId);
  },
  refused(history, o) {
    findDevice(history, o);
    findSend(history, o.clientMsgId);
  },
  resumed: findDevice,
  pushed: (history, o) => history.place(o.deviceId, o.chatId),
  'poll-answered': findDevice,
  outlived: findDevice,
  replaced: findDevice,
  fenced: findDevice,
  welcomed: findDevice,
  'push-met-older': findDevice,
  lease: findDevice,
  'device-opened': findDevice,
  member: (history, o) => history.sit(o.member.userId, o.chatId),
  committed(history, { message }) {
    history.sit(message.from, message.chatId);
    findMessage(history, message.serverMsgId);
    findSend(history, message.clientMsgId);
  },
  'cursor-saved': (history, o) => history.place(o.deviceId, o.chatId),
  'watermark-saved'(history, { receipt }) {
    history.sit(receipt.userId, receipt.chatId);
    findMessage(history, receipt.serverMsgId);
  },
  'content-dropped'(history, o) {
    history.chat = history.chatOf(o.chatId);
  },
  gauge: nothing,
  fault: nothing,
  healed: nothing,
  end: nothing,
};

function findDevice(history: History, o: Pick<Seen<'device'>, 'deviceId'>): void {
  history.device = history.deviceOf(o.deviceId, undefined);
  history.user = history.deviceUser[history.device]!;
}

function findMessage(history: History, name: ServerMsgId): void {
  history.message = history.messageOf(name);
}

function findSend(history: History, name: ClientMsgId): void {
  history.send = history.sendOf(history.user, name);
}
