import { expect, it } from 'vitest';
import { runScenario } from './run.ts';
import type { Op } from './scenario.ts';
import { chatIdOf } from './world/plan-ids.ts';
import { Regions } from './world/regions.ts';
import { smallScenario } from './world/testing-world.ts';

const SECOND = 1_000_000;
const SENDS = 40;
const CUT = { at: 2 * SECOND, for: 8 * SECOND };

/** Of eight chats the first that is at home in each region. */
const homes = [0, 1].map((region) =>
  Array.from({ length: 8 }, (_, i) => i).find((i) => new Regions(2).homeOf(chatIdOf(i)) === region),
) as [number, number];

/** A device writes into both, in turn, while the regions are cut off from each other: it stands in one of them. */
const ops = Array.from(
  { length: 2 * SENDS },
  (_, i): Op => ({ at: 3 * SECOND + i * 50_000, op: 'send', device: 0, chat: homes[i % 2]!, bytes: 8 }),
);

it('while the regions are cut off, what stays in reach is acknowledged: the window is not filled with what does not', () => {
  const sent = new Map<string, number>();
  const result = runScenario(
    smallScenario({
      ops,
      faults: [{ ...CUT, kind: 'region-cut', target: 'service-0', amount: 0 }],
      limits: { deviceSendWindow: 4, sendRetry: SECOND / 2 },
      topology: {
        regions: 2,
        gateways: 2,
        services: 2,
        relays: 2,
        workers: 2,
        users: 1,
        devices: 1,
        chats: Array.from({ length: 8 }, () => ({ kind: 'group', members: [0] })),
      },
    }),
    {
      trace: {
        event: ({ at, effects }) => {
          if (at >= CUT.at + CUT.for) return;
          for (const effect of effects as { kind?: string; chatId?: string }[]) {
            if (effect.kind === 'sent') sent.set(effect.chatId!, (sent.get(effect.chatId!) ?? 0) + 1);
          }
        },
      },
    },
  );
  expect(result.violation).toBeUndefined();
  expect([...sent.values()]).toEqual([SENDS]);
});
