/**
 * Branded identifiers. On the wire an id is a prefix and an unsigned 63-bit decimal (`u_3`, `c_9`); inside the core it
 * stays that opaque string, because a JavaScript number cannot hold 63 bits and nothing here does arithmetic on ids.
 */

declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

export type UserId = Branded<string, 'UserId'>;
export type DeviceId = Branded<string, 'DeviceId'>;
export type ChatId = Branded<string, 'ChatId'>;
export type ServerMsgId = Branded<string, 'ServerMsgId'>;
/** UUID made by the sending device; the idempotency key of a send together with the sender. */
export type ClientMsgId = Branded<string, 'ClientMsgId'>;
export type MediaId = Branded<string, 'MediaId'>;
/** Name of a process that takes part in delivery: a gateway, a message service, a relay, a worker. */
export type NodeId = Branded<string, 'NodeId'>;
/** One connection at one gateway (or, in a device, one of its own attempts); never reused within a process. */
export type ConnId = Branded<number, 'ConnId'>;

export const userId = (text: string): UserId => text as UserId;
export const deviceId = (text: string): DeviceId => text as DeviceId;
export const chatId = (text: string): ChatId => text as ChatId;
export const serverMsgId = (text: string): ServerMsgId => text as ServerMsgId;
export const clientMsgId = (text: string): ClientMsgId => text as ClientMsgId;
export const mediaId = (text: string): MediaId => text as MediaId;
export const nodeId = (text: string): NodeId => text as NodeId;
export const connId = (value: number): ConnId => value as ConnId;
