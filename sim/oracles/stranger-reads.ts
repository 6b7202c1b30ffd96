import { DEFAULT_LIMITS, type Limits } from '../../core/contract/limits.ts';
import type { History } from './history.ts';
import type { Observation } from './observation.ts';
import type { Violation } from './oracle.ts';
import { type Tokens, tokensOf } from './tokens.ts';
import { broken } from './violation.ts';

/** Who never was in a chat makes a service read it, and those who are in it wait, only so often. */
export class StrangerReads {
  readonly #history: History;
  readonly #limits: Limits;
  readonly #reads = new Map<string, Tokens>();

  constructor(history: History, limits: Limits) {
    this.#history = history;
    this.#limits = limits;
  }

  /** Whether he is a stranger the service learns by the read: as many as there are chats may be under way by then. */
  readFor(
    { serviceId, userId }: Extract<Observation, { kind: 'read-for' }>,
    at: number,
  ): Violation | undefined {
    const { seat, spans, chat, chatNames } = this.#history;
    if (spans[seat]!.length > 0) return undefined;
    const { strangerInterval, strangerBurst, rateBuckets } = this.#limits;
    const most = strangerBurst + chatNames.length;
    const tokens = tokensOf(this.#reads, `${serviceId} ${userId}`, strangerInterval, most);
    const has = tokens.level(at) >= tokens.interval;
    tokens.take(at, 0);
    if (has || rateBuckets < DEFAULT_LIMITS.rateBuckets || !this.#history.calmSince(at - 2 * tokens.full))
      return undefined;
    return broken(
      'rates-are-fair',
      at,
      `${serviceId} reads chats for ${userId}, who is in none of them, at most ${most} times at once and once in ${strangerInterval} µs`,
      `it reads ${chatNames[chat]!} once more`,
    );
  }
}
