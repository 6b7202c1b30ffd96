import type { DeliveryEvent } from '../../../core/contract/records.ts';
import { event } from '../../adapters/kafka/testing/queue-under-test.ts';
import type { Sent } from './queue-step.ts';

/** The delivery event that stands for [user, seq]. */
export function eventOf([user, seq]: Sent): DeliveryEvent {
  return event(user, seq);
}

export function sentOf({ recipient, item }: DeliveryEvent): Sent {
  return [Number(recipient.slice(2)), item.kind === 'message' ? item.message.seq : 0];
}
