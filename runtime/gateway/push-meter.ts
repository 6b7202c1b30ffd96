import type { GatewayEffect } from '../../core/session/gateway-effect.ts';
import type { Push } from '../../core/session/push.ts';
import { createAwaitedPushes } from '../observability/awaited-pushes.ts';
import type { Metrics } from '../observability/metrics.ts';

type PushResult = Extract<GatewayEffect, { kind: 'push-result' }>;

/** Times messages from the worker's push until this gateway says that the device has it. */
export interface PushMeter {
  came(push: Push): void;
  answered(result: PushResult): void;
}

export function createPushMeter(metrics: Metrics): PushMeter {
  const pushes = createAwaitedPushes<string>();
  const keyOf = ({ worker, pushId }: Pick<Push, 'worker' | 'pushId'>): string => `${pushId} ${worker}`;
  return {
    came: (push) => pushes.begun(keyOf(push), push),
    answered(result) {
      const push = pushes.ended(keyOf(result));
      if (push !== undefined && result.outcome === 'settled')
        metrics.messageStages.over('push', push.clientMsgId, push.begin);
    },
  };
}
