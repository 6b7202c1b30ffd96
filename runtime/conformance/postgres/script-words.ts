import type { ChatId, ClientMsgId, DeviceId, ServerMsgId, UserId } from '../../../core/contract/ids.ts';
import { type DeliveryMessage, OPEN_END, type Span } from '../../../core/contract/records.ts';
import type { FoundSend } from '../../../core/contract/store.ts';
import type { Micros } from '../../../core/contract/time.ts';
import type { SpanText } from './store-step.ts';

/** The ids that the short words of scripts stand for, and back. */

export const userOf = (word: string): UserId => `u_${word.slice(1)}` as UserId;
export const chatOf = (word: string): ChatId => `c_${word.slice(1)}` as ChatId;

export function deviceOf(word: string): { readonly userId: UserId; readonly deviceId: DeviceId } {
  const [user = '', device = ''] = word.split('.');
  return { userId: userOf(user), deviceId: `d_${user.slice(1)}00${device.slice(1)}` as DeviceId };
}

/** A send key: the number of the script as the last digits of a UUID. */
export function sendOf(word: string): { readonly from: UserId; readonly clientMsgId: ClientMsgId } {
  const [user = '', key = ''] = word.replace('!', '').split(':');
  const clientMsgId = `00000000-0000-4000-8000-${key.padStart(12, '0')}` as ClientMsgId;
  return { from: userOf(user), clientMsgId };
}

/** What a send says; with a `!` behind it something else. */
export const saidBy = (word: string): string => Buffer.from(`said by ${word}`).toString('base64');

export const spansOf = (spans: readonly SpanText[]): readonly Span[] =>
  spans.map(([after, upTo = OPEN_END]) => ({ after, upTo }));

export const wordOf = (id: string): string => id.replace('_', '');

/** What a message is, but for the time of its sending, which is not the store's. */
export function messageText(message: DeliveryMessage): string {
  const { chatId, seq, from, clientMsgId, serverMsgId, ciphertext } = message;
  const said = ciphertext === undefined ? 'what is long' : Buffer.from(ciphertext, 'base64').toString();
  return `${wordOf(chatId)}#${seq} ${wordOf(from)}:${Number(clientMsgId.slice(-12))} ${wordOf(serverMsgId)} "${said}"`;
}

/** What the message is that a send became, and whether the store took the send for the same. */
export function foundText({
  chatId,
  seq,
  from,
  clientMsgId,
  serverMsgId,
  sameCiphertext,
}: FoundSend): string {
  const same = sameCiphertext ? 'same' : 'other';
  return `${wordOf(chatId)}#${seq} ${wordOf(from)}:${Number(clientMsgId.slice(-12))} ${wordOf(serverMsgId)} ${same}`;
}

export function spanText(spans: readonly Span[]): string {
  return spans.map(({ after, upTo }) => `${after}-${upTo === OPEN_END ? '' : upTo}`).join(' ');
}

/** Numbers that both sides of a comparison draw in the same order. */
export class ScriptCounters {
  #messages = 0;
  #times = 0;
  readonly #ids = new Map<string, ServerMsgId>();

  /** A new id, remembered as the send's latest. */
  nextMessage(send: string): ServerMsgId {
    const id = `m_${++this.#messages}` as ServerMsgId;
    this.#ids.set(send, id);
    return id;
  }

  /** The latest id of a send; one that no message has when there is none. */
  messageOf(send: string): ServerMsgId {
    return this.#ids.get(send) ?? ('m_999999' as ServerMsgId);
  }

  nextTime(): Micros {
    return (1_800_000_000_000_000 + ++this.#times) as Micros;
  }
}
