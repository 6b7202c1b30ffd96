import { describe, expect, it } from 'vitest';
import { connId, nodeId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { onePlacement } from '../contract/placement.ts';
import { micros } from '../contract/time.ts';
import { createMessageService, stepMessageService } from './message-service.ts';
import { IDS } from './testing/effect-line.ts';

describe('an instance number', () => {
  it('must fit, and makes ids that no other instance makes', () => {
    const make = (instance: number) =>
      createMessageService({
        nodeId: nodeId('ms-1'),
        instance,
        limits: DEFAULT_LIMITS,
        placement: onePlacement('eu'),
        region: 'eu',
        seed: 1,
      });
    for (const bad of [0, -1, 1.5, 2 ** 21]) expect(() => make(bad)).toThrow('instance out of range');
    const last = make(2 ** 21 - 1);
    last.nextId = IDS - 1;
    const request = { kind: 'create-chat', userId: userId('u_1'), chatKind: 'group', members: [] } as const;
    const replyTo = { node: nodeId('api-1'), conn: connId(7) };
    const [effect] = stepMessageService(
      last,
      { kind: 'request', request: { ...request, replyTo } },
      micros(0),
    );
    // The largest id of all, still exact.
    expect(effect).toMatchObject({ request: { chatId: `c_${Number.MAX_SAFE_INTEGER}` } });
    const again = { kind: 'request', request: { ...request, replyTo } } as const;
    expect(() => stepMessageService(last, again, micros(0))).toThrow('used up');
  });
});
