import { assertNever } from '../../core/contract/assert.ts';
import type { NodeId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { Placement } from '../../core/contract/placement.ts';
import type { MessageServiceEffect } from '../../core/sequencing/message-service-effect.ts';
import type {
  MessageServiceEvent,
  MessageServiceTimer,
} from '../../core/sequencing/message-service-event.ts';
import { createMessageService, stepMessageService } from '../../core/sequencing/message-service.ts';
import { createMachineDriver, systemClock, type Halt } from '../driver/machine-driver.ts';
import { createWakeTimers } from '../driver/wake-timers.ts';
import { stageClock } from '../observability/message-stages.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { DeliveryQueue } from '../ports/delivery-queue.ts';
import type { ChatStore } from '../ports/message-store.ts';
import type { NodeLinks } from '../ports/node-links.ts';
import type { Recording } from '../recording/machine-recorder.ts';

export interface MessageServiceShell {
  /** Store calls under way: 0 means that nothing is lost by stopping now. */
  readonly inFlight: number;
  stop(): void;
}

export interface MessageServiceOptions {
  readonly nodeId: NodeId;
  /** From `ChatStore.claimInstance`: makes the message ids of this process unique. */
  readonly instance: number;
  readonly placement: Placement;
  /** Where this process stands: chats created here have their home here. */
  readonly region: string;
  readonly limits: Limits;
  readonly seed: number;
  readonly store: ChatStore;
  readonly queue: DeliveryQueue;
  readonly links: NodeLinks;
  readonly metrics: Metrics;
  readonly halt: Halt;
  readonly recording?: Recording | undefined;
}

/** Runs the sequencer, membership and receipts machine against the store. */
export function startMessageService(options: MessageServiceOptions): MessageServiceShell {
  const { nodeId, instance, placement, region, limits, seed, recording, store, queue, links, metrics, halt } =
    options;
  const made = { nodeId, instance, limits, seed, placement, region };
  const state = createMessageService(made);
  let inFlight = 0;

  const driver = createMachineDriver<MessageServiceEvent, MessageServiceEffect>({
    machine: 'message-service',
    step: (event, now) => stepMessageService(state, event, now),
    carryOut: (effects) => effects.forEach(carryOut),
    clock: systemClock,
    halt,
    recorder: recording?.machine('message-service', made),
  });
  const timers = createWakeTimers<MessageServiceTimer>((timer) => driver.dispatch({ kind: 'wake', timer }));

  function answered(event: MessageServiceEvent): void {
    inFlight--;
    driver.dispatch(event);
  }

  function carryOut(effect: MessageServiceEffect): void {
    switch (effect.kind) {
      case 'load-chat': {
        const { call, request } = effect;
        inFlight++;
        store.loadChat(request, (result) =>
          answered({ kind: 'loaded', call, chatId: request.chatId, result }),
        );
        return;
      }
      case 'append': {
        const { call, request } = effect;
        const begin = stageClock();
        inFlight++;
        store.append(request, (result) => {
          if (result.outcome === 'ok')
            for (const message of request.messages)
              metrics.messageStages.over('append', message.clientMsgId, begin);
          answered({ kind: 'appended', call, chatId: request.chatId, result });
        });
        return;
      }
      case 'change-member': {
        const { call, request } = effect;
        inFlight++;
        store.changeMember(request, (result) =>
          answered({ kind: 'member-changed', call, chatId: request.chatId, result }),
        );
        return;
      }
      case 'create-chat': {
        const { call } = effect;
        inFlight++;
        store.createChat(effect.request, (result) => answered({ kind: 'chat-created', call, result }));
        return;
      }
      case 'save-receipts': {
        const { call } = effect;
        inFlight++;
        store.saveReceipts(effect.writes, (result) => answered({ kind: 'receipts-saved', call, result }));
        return;
      }
      case 'reply':
        return links.reply(effect.node, effect.reply);
      case 'outbox-hint':
        return links.hintRelays();
      case 'publish-transient':
        return queue.publishTransient(effect.events);
      case 'wake':
        return timers.set(effect.timer, undefined, effect.after);
      default:
        return assertNever(effect);
    }
  }

  links.attachService({ request: (request) => driver.dispatch({ kind: 'request', request }) });
  return {
    get inFlight() {
      return inFlight;
    },
    stop: () => timers.stop(),
  };
}
