import {
  chatId,
  clientMsgId,
  connId,
  deviceId,
  nodeId,
  serverMsgId,
  userId,
} from '../../../../core/contract/ids.ts';
import { micros } from '../../../../core/contract/time.ts';
import type { Push } from '../../../../core/session/push.ts';
import type { ServiceRequest, SubmitRequest } from '../../../../core/session/service-call.ts';

/** Items as the roles make them, about 300 bytes each unless the ciphertext says otherwise. For tests and the bench. */

const UUID = clientMsgId('0190a3c2-7b1d-7c3e-8f00-0123456789ab');

export function madePush(worker: string, pushId: number, ciphertext = 'aGVsbG8gd29ybGQ='): Push {
  return {
    worker: nodeId(worker),
    pushId,
    userId: userId('u_2'),
    deviceId: deviceId('d_2'),
    epoch: 3,
    item: {
      kind: 'message',
      message: {
        chatId: chatId('c_9'),
        seq: pushId,
        serverMsgId: serverMsgId('m_88'),
        clientMsgId: UUID,
        from: userId('u_1'),
        fromDevice: deviceId('d_1'),
        ciphertext,
        mediaIds: [],
        sentAt: micros(1_700_000_000_000_000),
      },
    },
  };
}

export function madeSubmit(node: string, chat: string, conn: number, ciphertext = 'aGk='): SubmitRequest {
  return {
    kind: 'submit',
    replyTo: { node: nodeId(node), conn: connId(conn) },
    userId: userId('u_1'),
    deviceId: deviceId('d_1'),
    chatId: chatId(chat),
    clientMsgId: UUID,
    ciphertext,
    mediaIds: [],
  };
}

export function madeCreate(node: string, user: string): ServiceRequest {
  return {
    kind: 'create-chat',
    replyTo: { node: nodeId(node), conn: connId(1) },
    userId: userId(user),
    chatKind: 'group',
    members: [userId('u_7')],
  };
}
