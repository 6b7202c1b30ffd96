import { afterEach, describe, expect, it, vi } from 'vitest';
import { runScenario } from '../run.ts';
import type { Fault, Scenario } from '../scenario.ts';
import { MessageStoreModel } from '../world/message-store.ts';
import { sends, smallScenario } from '../world/testing-world.ts';

const SECOND = 1_000_000;

/** Nothing stays for longer than its commit. */
const RETENTION: Fault = { at: 0, kind: 'store-retention', target: 'store', for: 10 * SECOND, amount: 0 };

/** Sends become messages, and nobody hears of it before the services have been started anew. */
function retried(seed: number): Scenario {
  const faults: Fault[] = [RETENTION];
  for (const service of ['service-0', 'service-1']) {
    for (const gateway of ['gateway-0', 'gateway-1'])
      faults.push({
        at: SECOND,
        kind: 'cut-one-way',
        target: `${service}~${gateway}`,
        for: 3 * SECOND,
        amount: 0,
      });
    faults.push({ at: 3 * SECOND, kind: 'crash', target: service, for: SECOND, amount: 0 });
  }
  return smallScenario({ seed, ops: sends(6, 100_000), faults });
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a store that drops what messages say', () => {
  it('knows a send again whose content it has dropped', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const result = runScenario(retried(seed));
      expect(result.violation).toBeUndefined();
      expect(result.verdict).toBe('pass');
    }
  });

  it('is found out when it compares with what is left: an acknowledged send is refused when it comes again', () => {
    const { loadChat, append } = MessageStoreModel.prototype;
    vi.spyOn(MessageStoreModel.prototype, 'loadChat').mockImplementation(function (
      this: MessageStoreModel,
      request,
    ) {
      return withoutDigests(this, loadChat.call(this, request));
    });
    vi.spyOn(MessageStoreModel.prototype, 'append').mockImplementation(function (
      this: MessageStoreModel,
      request,
    ) {
      return withoutDigests(this, append.call(this, request));
    });
    const violations = Array.from({ length: 10 }, (_, i) => runScenario(retried(i + 1)).violation?.oracle);
    expect(violations).toContain('no-duplicate-shown');
  });
});

/** What a store would answer that has nothing but the ciphertext to compare with. */
function withoutDigests<Result extends object>(store: MessageStoreModel, result: Result): Result {
  if (!('found' in result)) return result;
  const found = (result.found as { chatId: never; seq: number; sameCiphertext: boolean }[]).map((each) => {
    const isKept = store.chats.get(each.chatId)?.messages[each.seq - 1]?.ciphertext !== '';
    return { ...each, sameCiphertext: each.sameCiphertext && isKept };
  });
  return { ...result, found };
}
