import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../../core/contract/ids.ts';
import type { DeliveryEvent } from '../../../core/contract/records.ts';
import { micros } from '../../../core/contract/time.ts';
import type { Sent } from './queue-step.ts';

/** The delivery event that stands for [user, seq]. */
export function eventOf([user, seq]: Sent): DeliveryEvent {
  return {
    recipient: userId(`u_${user}`),
    item: {
      kind: 'message',
      message: {
        chatId: chatId('c_1'),
        seq,
        serverMsgId: serverMsgId(`m_${seq}`),
        clientMsgId: clientMsgId('01920000-0000-7000-8000-000000000000'),
        from: userId('u_0'),
        fromDevice: deviceId('d_0'),
        ciphertext: 'AAAA',
        mediaIds: [],
        sentAt: micros(1),
      },
    },
  };
}

export function sentOf({ recipient, item }: DeliveryEvent): Sent {
  return [Number(recipient.slice(2)), item.kind === 'message' ? item.message.seq : 0];
}
