import type { ClientMsgId } from '../contract/ids.ts';
import type { SubmitRequest } from '../session/service-call.ts';
import type { PendingSend } from './chat-state.ts';

/**
 * The sends of a chat that have no answer yet, by clientMsgId. A send is its sender's: two users may have made the same
 * UUID, by chance or to do harm, and so what has the same id hangs together as a list, which is as good as always of one.
 */
type WaitingSends = Map<ClientMsgId, PendingSend>;

/** @returns the waiting send that this request repeats. */
export function findWaiting(sends: WaitingSends, request: SubmitRequest): PendingSend | undefined {
  let send = sends.get(request.clientMsgId);
  while (send !== undefined && send.request.userId !== request.userId) send = send.twin;
  return send;
}

export function addWaiting(sends: WaitingSends, send: PendingSend): void {
  send.twin = sends.get(send.request.clientMsgId);
  sends.set(send.request.clientMsgId, send);
}

export function removeWaiting(sends: WaitingSends, send: PendingSend): void {
  const { clientMsgId } = send.request;
  let before = sends.get(clientMsgId);
  if (before === send) {
    if (send.twin === undefined) sends.delete(clientMsgId);
    else sends.set(clientMsgId, send.twin);
    return;
  }
  while (before !== undefined && before.twin !== send) before = before.twin;
  if (before !== undefined) before.twin = send.twin;
}
