import type { DeviceId, UserId } from '../../core/contract/ids.ts';
import type { DeviceEffect } from '../../core/device/device-effect.ts';
import type { DeviceEvent } from '../../core/device/device-event.ts';
import type { Observation } from '../../sim/oracles/observation.ts';

/** An observation and when it was made, in microseconds since the witness began. */
export interface Sighting {
  readonly at: number;
  readonly observation: Observation;
}

/** Writes down what real devices do and show, in the words of the oracles. */
export interface Witness {
  /** Names a device before anything of it is seen. @returns what sees its events and effects. */
  watch(userId: UserId, deviceId: DeviceId): DeviceWitness;
  note(observation: Observation): void;
  readonly sightings: readonly Sighting[];
}

export interface DeviceWitness {
  event(event: DeviceEvent): void;
  effect(effect: DeviceEffect): void;
}

export function createWitness(): Witness {
  const began = performance.now();
  const sightings: Sighting[] = [];

  function note(observation: Observation): void {
    sightings.push({ at: Math.round((performance.now() - began) * 1_000), observation });
  }

  return {
    note,
    sightings,
    watch(userId, deviceId) {
      note({ kind: 'device', deviceId, userId });
      let live = false;
      return {
        event(event) {
          if (event.kind === 'send') {
            const { chatId, clientMsgId, ciphertext } = event;
            note({ kind: 'send', deviceId, userId, chatId, clientMsgId, ciphertext });
          } else if (event.kind === 'open' || event.kind === 'close')
            note({ kind: 'watching', deviceId, chatId: event.chatId, on: event.kind === 'open' });
        },
        effect(effect) {
          if (effect.kind === 'status') {
            if ((effect.status === 'live') === live) return;
            live = !live;
            note({ kind: 'device-live', deviceId, userId, live });
          } else noteEffect(note, userId, deviceId, effect);
        },
      };
    },
  };
}

function noteEffect(
  note: (observation: Observation) => void,
  userId: UserId,
  deviceId: DeviceId,
  effect: DeviceEffect,
): void {
  switch (effect.kind) {
    case 'sent': {
      const { clientMsgId, chatId, serverMsgId, seq } = effect;
      return note({ kind: 'acked', deviceId, clientMsgId, chatId, serverMsgId, seq });
    }
    case 'send-failed': {
      const { clientMsgId, chatId, code } = effect;
      return note({ kind: 'send-failed', deviceId, clientMsgId, chatId, code });
    }
    case 'cursor':
      return note({ kind: 'start-cursor', deviceId, chatId: effect.chatId, seq: effect.seq });
    case 'show': {
      const { chatId, seq, serverMsgId, from, fromDevice, ciphertext, mediaIds, sentAt } = effect.message;
      const content = { serverMsgId, from, fromDevice, ciphertext, mediaIds, sentAt };
      return note({ kind: 'shown', deviceId, userId, chatId, seq, ...content });
    }
    case 'receipt': {
      const { chatId, serverMsgId, seq, userId: by, type, at } = effect.receipt;
      return note({
        kind: 'receipt-shown',
        deviceId,
        receipt: { chatId, userId: by, type, seq, serverMsgId, at },
      });
    }
    case 'receipt-count': {
      const { chatId, serverMsgId, seq, deliveredCount, readCount } = effect.count;
      return note({ kind: 'count-shown', deviceId, chatId, serverMsgId, seq, deliveredCount, readCount });
    }
    case 'frame': {
      const { frame } = effect;
      if (frame.frame !== 'RECEIPT') return;
      const { chatId, serverMsgId, type } = frame;
      return note({ kind: 'receipt-sent', deviceId, userId, chatId, serverMsgId, type });
    }
    default:
  }
}
