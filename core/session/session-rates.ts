import { hasElapsed } from '../contract/elapsed.ts';
import type { ClientMsgId, UserId } from '../contract/ids.ts';
import type { Micros } from '../contract/time.ts';
import { type ClientFrame, CLOSE_CODE, type SendFrame } from '../wire/frames.ts';
import { bucketOf, charged, takeToken, tokenIn } from './rate-limit.ts';
import { closeSession, sendError } from './session-end.ts';
import type { Gateway, Out, Session } from './session-state.ts';

/**
 * How fast devices, users and addresses may be, at one gateway. What is too fast is refused with `rate_limited` and a time
 * to wait; who does not care is sent away.
 *
 * Once a send was refused, those behind it are too, until it comes again: they would overtake it. So a device that sends
 * again in the order in which it sent first keeps that order whatever is refused.
 */

/** @returns 0, or microseconds that this connection attempt is too early. */
export function connectTooEarly(
  gateway: Gateway,
  address: string | undefined,
  user: UserId,
  now: Micros,
): number {
  const { addressConnects, userConnects } = gateway.rates;
  const wait = address === undefined ? 0 : takeToken(addressConnects, address, now);
  return wait > 0 ? wait : takeToken(userConnects, user, now);
}

/** Charges a SEND. @returns whether it may be passed on; otherwise it was refused. */
export function admitSend(
  gateway: Gateway,
  session: Session,
  frame: SendFrame,
  now: Micros,
  out: Out,
): boolean {
  const wait = sendTooEarly(gateway, session, frame.clientMsgId, now);
  if (wait === 0) return true;
  const { clientMsgId, chatId } = frame;
  refuseFrame(gateway, session, wait, { refusedFrame: 'SEND', clientMsgId, chatId }, now, out);
  return false;
}

function sendTooEarly(gateway: Gateway, session: Session, id: ClientMsgId, now: Micros): number {
  const { rates } = session;
  const { devices, users } = gateway.rates;
  rates.sends ??= {
    device: bucketOf(devices, session.deviceId, now),
    user: bucketOf(users, session.userId, now),
  };
  if (rates.first !== undefined && rates.first !== id && mustWait(gateway, session, id, now))
    return gateway.limits.ratePause;
  const { device, user } = rates.sends;
  const wait = Math.max(tokenIn(device.fullAt, devices.rate, now), tokenIn(user.fullAt, users.rate, now));
  if (wait > 0) {
    rates.first = id;
    rates.refusedAt = now;
    return wait;
  }
  rates.first = undefined;
  device.fullAt = charged(device.fullAt, devices.rate, now);
  user.fullAt = charged(user.fullAt, users.rate, now);
  return 0;
}

/** Whether a send stands behind the refused one. Who never sends that again is not waited for any longer. */
function mustWait(gateway: Gateway, session: Session, id: ClientMsgId, now: Micros): boolean {
  const { ratePause, requestTimeout } = gateway.limits;
  if (hasElapsed(session.rates.refusedAt, ratePause + requestTimeout, now)) return false;
  // A send that was passed on before has its place already.
  return !session.requests.has(id);
}

/** A send has its final answer and does not come again: nothing stands behind it any more, although a repeat was refused. */
export function noteAnswered({ rates }: Session, id: ClientMsgId): void {
  if (rates.first === id) rates.first = undefined;
}

/** Charges a frame that nothing asked for. @returns whether it may be acted on; otherwise it was refused. */
export function admitFrame(
  gateway: Gateway,
  session: Session,
  frame: Exclude<ClientFrame, SendFrame>,
  now: Micros,
  out: Out,
): boolean {
  const { rates } = session;
  const { frames } = gateway.rates;
  const wait = tokenIn(rates.framesFullAt, frames, now);
  if (wait === 0) {
    rates.framesFullAt = charged(rates.framesFullAt, frames, now);
    return true;
  }
  const chatId = 'chatId' in frame ? frame.chatId : undefined;
  refuseFrame(gateway, session, wait, { refusedFrame: frame.frame, chatId }, now, out);
  return false;
}

/** Refuses a SEND without looking at its rate: all that one connection may have waiting waits. Charged like any refusal. */
export function refuseFull(
  gateway: Gateway,
  session: Session,
  { clientMsgId, chatId }: SendFrame,
  now: Micros,
  out: Out,
): void {
  if (!admitRefusal(gateway, session, now, out)) return;
  const { overloadRetry, ratePause } = gateway.limits;
  const retryAfterMs = Math.ceil(Math.max(overloadRetry, ratePause) / 1_000);
  const message = 'too many messages of this connection are waiting: send again a little later';
  sendError(session.conn, 'overloaded', message, out, { clientMsgId, chatId, retryAfterMs });
}

type About = NonNullable<Parameters<typeof sendError>[4]>;

function refuseFrame(
  gateway: Gateway,
  session: Session,
  wait: number,
  about: About,
  now: Micros,
  out: Out,
): void {
  if (!admitRefusal(gateway, session, now, out)) return;
  const retryAfterMs = Math.ceil(Math.max(wait, gateway.limits.ratePause) / 1_000);
  const message = `${about.refusedFrame ?? 'frame'}: too many in a short time, wait ${retryAfterMs} ms`;
  sendError(session.conn, 'rate_limited', message, out, { ...about, retryAfterMs });
}

/** Charges a refusal. @returns whether it may be said; otherwise the device is sent away: it does not do as it is told. */
function admitRefusal(gateway: Gateway, session: Session, now: Micros, out: Out): boolean {
  const { rates } = session;
  const { refusals } = gateway.rates;
  if (tokenIn(rates.refusalsFullAt, refusals, now) > 0) {
    const why = 'too many frames although this device was told to wait';
    closeSession(gateway, session, CLOSE_CODE.abuse, why, now, out);
    return false;
  }
  rates.refusalsFullAt = charged(rates.refusalsFullAt, refusals, now);
  return true;
}
