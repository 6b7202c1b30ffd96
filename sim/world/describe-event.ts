import type { Connection } from './connection.ts';
import * as EVENT from './event-kind.ts';
import type { Host } from './host.ts';
import { PollStep } from './poll-ends.ts';
import type { Timer } from './timer.ts';
import type { World } from './world.ts';

/** An event of the engine as its fields lie in the queue. */
export interface RawEvent {
  readonly kind: number;
  readonly target: number;
  readonly detail: number;
  readonly payload: unknown;
  readonly context: unknown;
}

export interface EventWords {
  readonly node: string;
  readonly from: string | undefined;
  readonly label: string;
  readonly event: unknown;
}

/** Puts an event into words. Slow: for the few events that are shown. */
export function describeEvent(world: World, raw: RawEvent): EventWords {
  const node = world.nameOf(raw.target);
  const words = (label: string, event: unknown, from?: string): EventWords => ({ node, from, label, event });
  switch (raw.kind) {
    case EVENT.TIMER: {
      const { event } = raw.payload as Timer;
      return words(labelOf(event), event);
    }
    case EVENT.STEP:
      return words(
        labelOf(raw.payload),
        raw.payload,
        typeof raw.context === 'string' ? raw.context : undefined,
      );
    case EVENT.CONNECT: {
      const conn = raw.payload as Connection;
      return words('connect', undefined, conn.device.name);
    }
    case EVENT.UP:
      return words(
        labelOf(raw.payload ?? { kind: 'closed' }),
        raw.payload,
        (raw.context as Connection).device.name,
      );
    case EVENT.DOWN:
      return words(labelOf(raw.payload), raw.payload, (raw.context as Connection).gateway.name);
    case EVENT.POLL_UP:
      return words(labelOf(raw.payload), raw.payload, (raw.context as Connection).device.name);
    case EVENT.POLL_DOWN:
      return words(labelOf(raw.payload), raw.payload, (raw.context as Connection).gateway.name);
    case EVENT.STORE:
    case EVENT.REGISTRY:
    case EVENT.QUEUE:
      return words(labelOf(raw.payload), raw.payload, (raw.context as Host).name);
    case EVENT.OP: {
      const op = world.scenario.ops[raw.detail];
      return { node: 'users', from: undefined, label: op?.op ?? 'op', event: op };
    }
    case EVENT.FAULT_BEGIN:
    case EVENT.FAULT_END: {
      const fault = world.scenario.faults[raw.detail];
      const label = `${EVENT.EVENT_NAMES[raw.kind]}: ${fault?.kind}`;
      return { node: fault?.target ?? 'faults', from: undefined, label, event: fault };
    }
    default:
      return words(EVENT.EVENT_NAMES[raw.kind] ?? `event ${raw.kind}`, undefined);
  }
}

/** "t=1.200345 s gateway-1 <- device-3: frame SEND" */
export function eventLine(world: World, time: number, raw: RawEvent): string {
  const { node, from, label } = describeEvent(world, raw);
  return `t=${(time / 1_000_000).toFixed(6)} s ${node}${from === undefined ? '' : ` <- ${from}`}: ${label}`;
}

/** "poll request 4: post SEND, RECEIPT", "poll reply 4: failed 404" */
function pollLabel({ step }: PollStep): string {
  switch (step.kind) {
    case 'request': {
      const { request, ask } = step.request;
      const frames = ask.kind === 'post' ? ` ${ask.frames.map(({ frame }) => frame).join(', ')}` : '';
      return `poll request ${request}: ${ask.kind}${frames}`;
    }
    case 'reply': {
      const { reply } = step;
      const what =
        reply.kind === 'failed'
          ? `failed ${reply.status ?? ''}`
          : `${reply.frames.map(({ frame }) => frame.frame).join(', ')}${reply.closed === undefined ? '' : ` closed ${reply.closed.code}`}`;
      return `poll reply ${reply.request}: ${what}`;
    }
    case 'deadline':
      return `poll deadline ${step.place}`;
    default:
      return `poll wake ${step.timer}`;
  }
}

function labelOf(payload: unknown): string {
  if (payload instanceof PollStep) return pollLabel(payload);
  if (typeof payload !== 'object' || payload === null) return 'event';
  const { kind, frame, timer, result, outcome } = payload as {
    readonly kind?: string;
    readonly frame?: { readonly frame?: string };
    readonly timer?: string;
    readonly result?: { readonly outcome?: string };
    readonly outcome?: string;
  };
  const detail = frame?.frame ?? timer ?? result?.outcome ?? outcome;
  return detail === undefined ? String(kind) : `${String(kind)} ${detail}`;
}
