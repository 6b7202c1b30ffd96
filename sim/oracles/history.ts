import type { ChatId, ClientMsgId, DeviceId, ServerMsgId, UserId } from '../../core/contract/ids.ts';
import { OPEN_END, type Span } from '../../core/contract/records.ts';
import type { Observation } from './observation.ts';
import type { PromiseName } from './oracle.ts';

/** No such thing, or not known yet. */
export const NONE = -1;
const NOTHING: readonly PromiseName[] = [];
const NO_SPANS: readonly Span[] = [];

/**
 * What happened so far, in numbers: every id is interned once per observation, and every oracle reads the same tables.
 * First the numbers of the observation at hand are found (resolve.ts), the oracles judge it against what came before, then
 * it becomes part of the past (absorb.ts).
 *
 * A *seat* is a user in a chat, a *pair* a device in a chat; both are dense numbers too.
 */
export class History {
  // --- the observation at hand; NONE where it does not apply
  device: number = NONE;
  user: number = NONE;
  chat: number = NONE;
  seat: number = NONE;
  pair: number = NONE;
  message: number = NONE;
  send: number = NONE;
  /** The seat of whose receipt it is that a device is shown. */
  authorSeat: number = NONE;

  // --- devices and users
  readonly deviceNames: DeviceId[] = [];
  readonly userNames: UserId[] = [];
  readonly deviceUser: number[] = [];
  readonly userDevices: number[][] = [];
  readonly live: boolean[] = [];
  /** Since when the device is live without a break; meaningless while it is not. */
  readonly liveSince: number[] = [];
  /** Live devices of a user, and when that number last was, or became, zero. */
  readonly liveDevices: number[] = [];
  readonly onlineSince: number[] = [];
  readonly offlineSince: number[] = [];
  /** The device has had a session: from then on it owes the user what comes. */
  readonly opened: boolean[] = [];

  // --- chats
  readonly chatNames: ChatId[] = [];
  readonly heads: number[] = [];
  readonly chatSeats: number[][] = [];
  readonly userSeats: number[][] = [];
  readonly seatUser: number[] = [];
  readonly seatChat: number[] = [];
  /** Place among the seats of its chat. */
  readonly seatPlace: number[] = [];
  readonly spans: (readonly Span[])[] = [];
  /** When the user came into the chat, the last time. */
  readonly joinedAt: (number | undefined)[] = [];
  readonly pairDevice: number[] = [];
  readonly pairChat: number[] = [];
  /** The seat of the device's user. */
  readonly pairSeat: number[] = [];
  /** The seq up to which the device has everything it may see; NONE before it has a start. */
  readonly positions: number[] = [];
  /** The position the device started from at first; NONE before. */
  readonly starts: number[] = [];

  // --- messages and sends
  readonly messageNames: ServerMsgId[] = [];
  readonly messageChat: number[] = [];
  readonly messageSeq: number[] = [];
  readonly committed: boolean[] = [];
  readonly acked: boolean[] = [];
  /** Message of a chat by seq; sparse. */
  readonly messageAt: number[][] = [];
  readonly sendNames: ClientMsgId[] = [];
  readonly sendDevice: number[] = [];
  readonly sendChat: number[] = [];
  readonly sentAt: number[] = [];
  readonly sendEnded: boolean[] = [];
  /** The sender was told that it is no message. */
  readonly sendFailed: boolean[] = [];
  /** Sends without an end so far. */
  openSends = 0;
  /** Message that a send became; NONE until it is known. */
  readonly sendMessage: number[] = [];
  readonly messageSend: number[] = [];

  // --- phases
  activeFaults = 0;
  /** Promises whose good things may take longer now. */
  suspended: readonly PromiseName[] = NOTHING;
  /** When a fault was last active; minus infinity before the first. */
  lastFault: number = -Infinity;
  healed = false;
  healedAt: number = NONE;
  /** By device; meaningful once healed. */
  readonly served: boolean[] = [];
  /** By device: not served, and yet a gateway hears of it; meaningful once healed. */
  readonly heard: boolean[] = [];

  #faultsBehind = 0;
  #lastFaultBehind = -Infinity;
  #anyFault = false;
  #lastAnyFault = -Infinity;
  readonly #devices = new Map<DeviceId, number>();
  readonly #users = new Map<UserId, number>();
  readonly #chats = new Map<ChatId, number>();
  readonly #messages = new Map<ServerMsgId, number>();
  readonly #sends: Map<ClientMsgId, number>[] = [];
  /** By user, then chat. */
  readonly #seats: number[][] = [];
  /** By device, then chat. */
  readonly #pairs: number[][] = [];

  userOf(name: UserId): number {
    const known = this.#users.get(name);
    if (known !== undefined) return known;
    const user = this.userNames.push(name) - 1;
    this.#users.set(name, user);
    this.userDevices.push([]);
    this.userSeats.push([]);
    this.#sends.push(new Map());
    this.#seats.push([]);
    this.liveDevices.push(0);
    this.onlineSince.push(-Infinity);
    this.offlineSince.push(-Infinity);
    return user;
  }

  deviceOf(name: DeviceId, owner: UserId | undefined): number {
    const known = this.#devices.get(name);
    if (known !== undefined) return known;
    const device = this.deviceNames.push(name) - 1;
    this.#devices.set(name, device);
    const user = owner === undefined ? NONE : this.userOf(owner);
    this.deviceUser.push(user);
    if (user !== NONE) this.userDevices[user]!.push(device);
    this.live.push(false);
    this.liveSince.push(NONE);
    this.opened.push(false);
    this.served.push(false);
    this.heard.push(false);
    this.#pairs.push([]);
    return device;
  }

  chatOf(name: ChatId): number {
    const known = this.#chats.get(name);
    if (known !== undefined) return known;
    const chat = this.chatNames.push(name) - 1;
    this.#chats.set(name, chat);
    this.heads.push(0);
    this.chatSeats.push([]);
    this.messageAt.push([]);
    return chat;
  }

  seatOf(user: number, chat: number): number {
    const row = this.#seats[user]!;
    const known = row[chat];
    if (known !== undefined) return known;
    const seat = this.seatUser.push(user) - 1;
    row[chat] = seat;
    this.seatChat.push(chat);
    this.spans.push(NO_SPANS);
    this.userSeats[user]!.push(seat);
    this.seatPlace.push(this.chatSeats[chat]!.push(seat) - 1);
    return seat;
  }

  pairOf(device: number, chat: number): number {
    const row = this.#pairs[device]!;
    const known = row[chat];
    if (known !== undefined) return known;
    const pair = this.pairDevice.push(device) - 1;
    row[chat] = pair;
    this.pairChat.push(chat);
    this.pairSeat.push(this.seatOf(this.deviceUser[device]!, chat));
    this.positions.push(NONE);
    this.starts.push(NONE);
    return pair;
  }

  messageOf(name: ServerMsgId): number {
    const known = this.#messages.get(name);
    if (known !== undefined) return known;
    const message = this.messageNames.push(name) - 1;
    this.#messages.set(name, message);
    this.messageChat.push(NONE);
    this.messageSeq.push(NONE);
    this.committed.push(false);
    this.acked.push(false);
    this.messageSend.push(NONE);
    return message;
  }

  sendOf(user: number, name: ClientMsgId): number {
    const sends = this.#sends[user]!;
    const known = sends.get(name);
    if (known !== undefined) return known;
    const send = this.sendNames.push(name) - 1;
    sends.set(name, send);
    this.sendDevice.push(NONE);
    this.sendChat.push(NONE);
    this.sentAt.push(NONE);
    this.sendEnded.push(false);
    this.sendFailed.push(false);
    this.sendMessage.push(NONE);
    return send;
  }

  /** Another observation comes to hand. */
  clear(): void {
    this.device = this.user = this.chat = this.seat = this.pair = this.message = this.send = NONE;
    this.authorSeat = NONE;
  }

  /** A device in a chat, and its user's seat there. */
  place(deviceName: DeviceId, chatName: ChatId): void {
    this.device = this.deviceOf(deviceName, undefined);
    this.user = this.deviceUser[this.device]!;
    this.chat = this.chatOf(chatName);
    this.pair = this.pairOf(this.device, this.chat);
    this.seat = this.pairSeat[this.pair]!;
  }

  /** A user in a chat. */
  sit(userName: UserId, chatName: ChatId): void {
    this.user = this.userOf(userName);
    this.chat = this.chatOf(chatName);
    this.seat = this.seatOf(this.user, this.chat);
  }

  noteFaults(o: Extract<Observation, { kind: 'fault' }>, at: number): void {
    if (this.activeFaults > 0 || o.active > 0) this.lastFault = at;
    this.activeFaults = o.active;
    const behind = o.behind ?? o.active;
    if (this.#faultsBehind > 0 || behind > 0) this.#lastFaultBehind = at;
    this.#faultsBehind = behind;
    this.suspended = o.suspended ?? NOTHING;
    this.#anyFault = (o.unfeltToo ?? o.active) > 0;
    this.#lastAnyFault = at;
  }

  /** @returns whether no fault was active at any time since `since`. */
  calmSince(since: number): boolean {
    return this.activeFaults === 0 && this.lastFault < since;
  }

  /** The same, of faults that do more than to hit a device or its network. */
  calmBehindSince(since: number): boolean {
    return this.#faultsBehind === 0 && this.#lastFaultBehind < since;
  }

  /** The same, of faults that must not delay anything as well. */
  undisturbedSince(since: number): boolean {
    return !this.#anyFault && this.#lastAnyFault < since;
  }

  /** @returns whether the user is a member now, as the store says. */
  isMember(seat: number): boolean {
    const spans = this.spans[seat]!;
    return spans.length > 0 && spans[spans.length - 1]!.upTo === OPEN_END;
  }

  // ---------------------------------------------------------------- words for people

  /** "d_3 of u_1" */
  nameDevice(device: number): string {
    const user = this.deviceUser[device] ?? NONE;
    return user === NONE
      ? this.deviceNames[device]!
      : `${this.deviceNames[device]!} of ${this.userNames[user]!}`;
  }

  /** "seq 4 of c_2 (m_12)"; without the message while it is unknown. */
  nameSeq(chat: number, seq: number): string {
    const message = this.messageAt[chat]![seq];
    const name = message === undefined ? '' : ` (${this.messageNames[message]!})`;
    return `seq ${seq} of ${this.chatNames[chat]!}${name}`;
  }
}
