import { expect, it } from 'vitest';
import { chatId, clientMsgId, deviceId, nodeId, serverMsgId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import type { DeliveryItem } from '../contract/records.ts';
import { type Micros, micros, MILLISECOND, SECOND } from '../contract/time.ts';
import type { DeliveryWorkerEffect } from './delivery-effect.ts';
import type { DeliveryWorkerEvent } from './delivery-event.ts';
import { createDeliveryWorker, stepDeliveryWorker } from './delivery-worker.ts';

const itemOf = (seq: number): DeliveryItem => ({
  kind: 'message',
  message: {
    chatId: chatId('c_1'),
    seq,
    serverMsgId: serverMsgId(`m_${seq}`),
    clientMsgId: clientMsgId(`k${seq}`),
    from: userId('u_1'),
    fromDevice: deviceId('d_1'),
    ciphertext: 'AAAA',
    mediaIds: [],
    sentAt: micros(1),
  },
});

/** One device that is connected and answers nothing, and a worker that is handed only what is for its user. */
class StuckWorld {
  readonly #worker = createDeliveryWorker({ nodeId: nodeId('dw-1'), limits: DEFAULT_LIMITS, seed: 1 });
  #now = 10 * SECOND;
  #wakeAt: number | undefined;
  #offset = 0;
  #pausedAt: number | undefined;
  readonly #held: number[] = [];
  /** For how long the worker took no records of any partition. */
  pause = 0;

  constructor() {
    this.#step({ kind: 'assigned', partition: 0, generation: 1, offset: 0 });
  }

  pass(time: number): void {
    this.#now += time;
    if (this.#wakeAt === undefined || this.#wakeAt > this.#now) return;
    this.#wakeAt = undefined;
    this.#step({ kind: 'wake', timer: 'retry' });
  }

  send(messages: number): void {
    if (this.#pausedAt !== undefined) return;
    const records = Array.from({ length: messages }, () => {
      const offset = ++this.#offset;
      return { offset, event: { recipient: userId('u_2'), item: itemOf(offset) } };
    });
    this.#step({ kind: 'records', partition: 0, generation: 1, records });
  }

  #step(event: DeliveryWorkerEvent): void {
    for (const effect of stepDeliveryWorker(this.#worker, event, this.#now as Micros)) this.#carryOut(effect);
  }

  #carryOut(effect: DeliveryWorkerEffect): void {
    switch (effect.kind) {
      case 'pause':
        this.#pausedAt = this.#now;
        break;
      case 'resume':
        this.pause = Math.max(this.pause, this.#now - (this.#pausedAt ?? this.#now));
        this.#pausedAt = undefined;
        break;
      case 'wake':
        this.#wakeAt = this.#now + effect.after;
        break;
      case 'mark-missed':
        this.#step({ kind: 'marked', call: effect.call, ok: true });
        break;
      case 'lookup': {
        const where = { deviceId: deviceId('d_2'), gatewayId: nodeId('gw-1'), epoch: 1 };
        const users = effect.users.map((user) => ({
          userId: user,
          sessions: [{ userId: user, ...where }],
        }));
        this.#step({ kind: 'sessions', call: effect.call, users });
        break;
      }
      case 'push': {
        // Its window is full, and no PONG comes. The gateway holds so many pushes for it and ends the oldest of more.
        const oldest = this.#held.push(effect.push.pushId) > DEFAULT_LIMITS.heldPushes && this.#held.shift();
        if (oldest !== false) this.#step({ kind: 'pushed', pushId: oldest!, outcome: 'no-session' });
        break;
      }
      default:
    }
  }
}

/** Two users who send as fast as they may: each message is a task for a while, and a worker has only so many. */
it('a device that answers nothing does not keep a worker from everybody else', () => {
  const world = new StuckWorld();
  for (let i = 0; i < 600; i++) {
    world.pass(100 * MILLISECOND);
    world.send(100);
  }
  expect(world.pause).toBeLessThan(SECOND);
});
