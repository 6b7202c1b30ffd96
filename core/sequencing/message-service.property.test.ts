import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chatId, clientMsgId, connId, deviceId, nodeId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS } from '../contract/limits.ts';
import { onePlacement } from '../contract/placement.ts';
import { OPEN_END, type StoredMessage } from '../contract/records.ts';
import type { AppendRequest, AskedSend, FoundSend } from '../contract/store.ts';
import { micros, SECOND } from '../contract/time.ts';
import { createMessageService, stepMessageService } from './message-service.ts';
import type { MessageServiceEffect } from './message-service-effect.ts';
import type { MessageServiceEvent } from './message-service-event.ts';

/**
 * Two services that both believe they own one chat, over a store that fails, answers `unknown` and commits late: every
 * ack must be of a message that is in the store, at that seq, once.
 */

const C = chatId('c_1');
const SENDERS = [userId('u_1'), userId('u_2')];

/** The store's rules for one chat, and nothing else. */
class Store {
  readonly log: StoredMessage[] = [];
  /** Commits whose outcome was reported as unknown and that have not landed yet. */
  late: AppendRequest[] = [];

  find(asked: AskedSend): FoundSend | undefined {
    const found = this.log.find((m) => m.from === asked.from && m.clientMsgId === asked.clientMsgId);
    if (found === undefined) return undefined;
    const { ciphertext, ...message } = found;
    return { ...message, sameCiphertext: ciphertext === asked.ciphertext };
  }

  append(request: AppendRequest): 'ok' | 'stale' | readonly FoundSend[] {
    const keys = request.messages.map((m) => `${m.from} ${m.clientMsgId}`);
    expect(new Set(keys).size, 'no send twice in one append').toBe(keys.length);
    const found = request.messages.flatMap((m) => this.find(m) ?? []);
    if (found.length > 0) return found;
    if (request.expectHead !== this.log.length) return 'stale';
    this.log.push(...request.messages);
    return 'ok';
  }

  land(): void {
    for (const request of this.late) this.append(request);
    this.late = [];
  }
}

type Fate = 'ok' | 'failed' | 'unknown' | 'unknown-written' | 'unknown-late';
type Move =
  | { readonly kind: 'send'; readonly service: number; readonly sender: number; readonly key: number }
  | { readonly kind: 'store'; readonly service: number; readonly fate: Fate }
  | { readonly kind: 'wake'; readonly service: number }
  | { readonly kind: 'land' };

const service = fc.nat({ max: 1 });
const fate = fc.constantFrom<Fate>('ok', 'ok', 'failed', 'unknown', 'unknown-written', 'unknown-late');
const moves = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('send' as const),
      service,
      sender: fc.nat({ max: 1 }),
      key: fc.nat({ max: 9 }),
    }),
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('store' as const), service, fate }) },
    fc.record({ kind: fc.constant('wake' as const), service }),
    fc.record({ kind: fc.constant('land' as const) }),
  ),
  { minLength: 10, maxLength: 120, size: 'max' },
);

class World {
  readonly store = new Store();
  readonly services = [1, 2].map((instance) =>
    createMessageService({
      nodeId: nodeId(`ms-${instance}`),
      instance,
      limits: { ...DEFAULT_LIMITS, appendBatch: 3, recentSends: 2 },
      placement: onePlacement('eu'),
      region: 'eu',
      seed: 1,
    }),
  );
  /** The store call that each service waits for. */
  readonly calls: (MessageServiceEffect | undefined)[] = [undefined, undefined];
  /** What each (sender, key) was acknowledged as, and how often anew. */
  readonly acked = new Map<string, { seq: number; id: string; fresh: number }>();
  readonly sent = new Set<string>();
  now = 100 * SECOND;

  step(n: number, event: MessageServiceEvent): void {
    this.now += 1_000;
    const machine = this.services[n];
    if (machine === undefined) return;
    for (const effect of stepMessageService(machine, event, micros(this.now))) {
      if (effect.kind === 'append' || effect.kind === 'load-chat') {
        expect(this.calls[n], 'one store call at a time').toBeUndefined();
        this.calls[n] = effect;
      } else if (effect.kind === 'reply') this.heard(effect);
    }
  }

  heard({ reply }: Extract<MessageServiceEffect, { kind: 'reply' }>): void {
    if (reply.kind === 'refused') expect(reply.code).toBe('unavailable');
    if (reply.kind !== 'ack') return;
    const sender = SENDERS[reply.conn] ?? userId('u_1');
    const row = this.store.find({ from: sender, clientMsgId: reply.clientMsgId, ciphertext: 'AAAA' });
    expect(row, 'acknowledged is durable').toMatchObject({ seq: reply.seq, serverMsgId: reply.serverMsgId });
    const key = `${sender} ${reply.clientMsgId}`;
    const before = this.acked.get(key) ?? { seq: reply.seq, id: reply.serverMsgId, fresh: 0 };
    expect([before.seq, before.id]).toEqual([reply.seq, reply.serverMsgId]);
    this.acked.set(key, { ...before, fresh: before.fresh + (reply.duplicate ? 0 : 1) });
  }

  send(n: number, sender: number, key: number): void {
    this.sent.add(`${SENDERS[sender]} k${key}`);
    const request = {
      kind: 'submit',
      replyTo: { node: nodeId('gw-1'), conn: connId(sender) },
      userId: SENDERS[sender] ?? userId('u_1'),
      deviceId: deviceId('d_1'),
      chatId: C,
      clientMsgId: clientMsgId(`k${key}`),
      ciphertext: 'AAAA',
      mediaIds: [],
    } as const;
    this.step(n, { kind: 'request', request });
  }

  answer(n: number, fate: Fate): void {
    const effect = this.calls[n];
    this.calls[n] = undefined;
    if (effect?.kind === 'load-chat') {
      if (fate === 'failed') {
        this.step(n, { kind: 'loaded', call: effect.call, chatId: C, result: { outcome: 'failed' } });
        return;
      }
      const found = effect.request.sends.flatMap((s) => this.store.find(s) ?? []);
      const spans = [{ after: 0, upTo: OPEN_END }];
      const members = SENDERS.map((user) => ({ userId: user, role: 'member' as const, spans }));
      const chat = { chatId: C, kind: 'group' as const, head: this.store.log.length, version: 0, members };
      this.step(n, { kind: 'loaded', call: effect.call, chatId: C, result: { outcome: 'ok', chat, found } });
    } else if (effect?.kind === 'append') {
      const result = this.commit(effect.request, fate);
      this.step(n, { kind: 'appended', call: effect.call, chatId: C, result });
    }
  }

  private commit(request: AppendRequest, fate: Fate) {
    if (fate === 'failed') return { outcome: 'failed' } as const;
    if (fate === 'unknown-late') this.store.late.push(request);
    if (fate === 'unknown-written') this.store.append(request);
    if (fate !== 'ok') return { outcome: 'unknown' } as const;
    const done = this.store.append(request);
    return typeof done === 'string'
      ? ({ outcome: done } as const)
      : ({ outcome: 'duplicate', found: done } as const);
  }

  play(move: Move): void {
    if (move.kind === 'send') this.send(move.service, move.sender, move.key);
    else if (move.kind === 'store') this.answer(move.service, move.fate);
    else if (move.kind === 'wake') this.step(move.service, { kind: 'wake', timer: 'retry' });
    else this.store.land();
  }

  /** The trouble ends: whoever has no answer sends again, and everything is answered. */
  settle(): void {
    this.store.land();
    for (let round = 0; round < 60; round++) {
      for (const n of [0, 1]) {
        this.step(n, { kind: 'wake', timer: 'retry' });
        this.answer(n, 'ok');
      }
    }
    for (const key of this.sent) {
      if (this.acked.has(key)) continue;
      const [sender = '', name = ''] = key.split(' ');
      this.send(0, SENDERS.indexOf(userId(sender)), Number(name.slice(1)));
    }
    for (let round = 0; round < 60; round++) this.answer(0, 'ok');
  }
}

describe('two message services over a store in trouble', () => {
  it('acknowledge what is durable, each send once, under one seq, and leave no holes', () => {
    let zombies = 0;
    let races = 0;
    fc.assert(
      fc.property(moves, (history) => {
        const world = new World();
        for (const move of history) {
          if (move.kind === 'land') zombies += world.store.late.length;
          world.play(move);
        }
        world.settle();
        const { log } = world.store;
        expect(log.map((m) => m.seq)).toEqual(log.map((_, i) => i + 1));
        expect(new Set(log.map((m) => m.serverMsgId)).size).toBe(log.length);
        const keys = log.map((m) => `${m.from} ${m.clientMsgId}`);
        expect(new Set(keys)).toEqual(world.sent);
        expect(keys).toHaveLength(world.sent.size);
        expect(new Set(world.acked.keys())).toEqual(world.sent);
        // At most one service calls it new: the one whose attempt it became.
        for (const { fresh } of world.acked.values()) expect(fresh).toBeLessThanOrEqual(1);
        if (new Set(log.map((m) => Number(m.serverMsgId.slice(2)) > 2 ** 33)).size > 1) races++;
        for (const machine of world.services) expect([machine.backlog, machine.writing]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
    // The rare ways were really taken: commits that landed late, and chats that both services wrote.
    expect(zombies).toBeGreaterThan(0);
    expect(races).toBeGreaterThan(0);
  });
});
