import { describe, expect, it } from 'vitest';
import { chatId, connId, deviceId, nodeId, userId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { micros, MILLISECOND, SECOND } from '../contract/time.ts';
import { createGateway, stepGateway } from '../session/gateway.ts';
import type { GatewayEffect } from '../session/gateway-effect.ts';
import type { GatewayEvent } from '../session/gateway-event.ts';
import type { ErrorCode } from '../wire/frames.ts';

/** Effects as lines, those of presence only. */
function lines(effect: GatewayEffect): string[] {
  switch (effect.kind) {
    case 'frame':
      if (effect.frame.frame === 'PRESENCE') {
        const { userId, status, lastSeen } = effect.frame;
        return [
          `${effect.conn}: ${userId} ${status}${lastSeen === undefined ? '' : ` since ${lastSeen / SECOND}`}`,
        ];
      }
      return effect.frame.frame === 'ERROR' ? [`${effect.conn}: ERROR ${effect.frame.code}`] : [];
    case 'request':
      return effect.request.kind === 'members' ? [`ask members of ${effect.request.chatId}`] : [];
    case 'read-presence':
      return [`read ${effect.users.join()}`];
    case 'watch':
    case 'unwatch':
      return [`${effect.kind} ${effect.userId}`];
    case 'wake':
      return effect.timer === 'presence' ? [`wake in ${effect.after / SECOND} s`] : [];
    default:
      return [];
  }
}

function start(change: Partial<Limits> = {}) {
  const gateway = createGateway({
    nodeId: nodeId('gw-1'),
    region: 'eu',
    limits: { ...DEFAULT_LIMITS, ...change },
    seed: 1,
  });
  let now = 100 * SECOND;
  const step = (event: GatewayEvent): string[] => stepGateway(gateway, event, micros(now)).flatMap(lines);
  const api = {
    gateway,
    step,
    later: (ms: number) => (now += ms * MILLISECOND),
    /** A live session of `u_<n>` on connection n. */
    join: (n: number) => {
      const conn = connId(n);
      step({
        kind: 'open',
        conn,
        userId: userId(`u_${n}`),
        deviceId: deviceId(`d_${n}`),
        expiresAt: micros(9_000 * SECOND),
      });
      step({ kind: 'device-opened', conn, result: { outcome: 'ok', epoch: 1, confirmed: true } });
      step({ kind: 'claimed', conn, result: { outcome: 'held', previous: undefined } });
      step({ kind: 'chats', conn, result: { outcome: 'ok', chats: [], complete: true } });
      step({ kind: 'frame', conn, frame: { frame: 'RESUME', cursors: [] } });
      return api;
    },
    look: (n: number, chat: string) =>
      step({ kind: 'frame', conn: connId(n), frame: { frame: 'OPEN', chatId: chatId(chat) } }),
    away: (n: number, chat: string) =>
      step({ kind: 'frame', conn: connId(n), frame: { frame: 'CLOSE', chatId: chatId(chat) } }),
    members: (n: number, chat: string, ...users: string[]) =>
      step({
        kind: 'reply',
        reply: { kind: 'members', conn: connId(n), chatId: chatId(chat), users: users.map(userId) },
      }),
    refused: (n: number, chat: string, code: ErrorCode) =>
      step({
        kind: 'reply',
        reply: {
          kind: 'refused',
          conn: connId(n),
          chatId: chatId(chat),
          code,
          message: '',
          clientMsgId: undefined,
          retryAfterMs: undefined,
        },
      }),
    reading: (user: string, online: boolean, lastSeen?: number) =>
      step({
        kind: 'presence',
        readings: [
          {
            userId: userId(user),
            online,
            lastSeen: lastSeen === undefined ? undefined : micros(lastSeen * SECOND),
          },
        ],
      }),
    hint: (user: string) => step({ kind: 'presence-hint', userId: userId(user) }),
    wake: () => step({ kind: 'wake', timer: 'presence', conn: undefined }),
  };
  return api;
}

describe('presence', () => {
  it('is for those who look: the others in a chat on screen are watched, and told when known', () => {
    const s = start().join(1);
    expect(s.look(1, 'c_1')).toEqual(['ask members of c_1', 'wake in 15 s']);
    expect(s.members(1, 'c_1', 'u_1', 'u_2', 'u_3')).toEqual(['watch u_2', 'watch u_3', 'read u_2,u_3']);
    expect(s.reading('u_2', true)).toEqual(['1: u_2 ONLINE']);
    expect(s.reading('u_3', false, 40)).toEqual(['1: u_3 OFFLINE since 40']);
    // Nothing new is no news.
    expect(s.reading('u_2', true)).toEqual([]);
    expect(s.away(1, 'c_1')).toEqual(['unwatch u_2', 'unwatch u_3']);
    expect(s.reading('u_2', false)).toEqual([]);
    expect(s.hint('u_2')).toEqual([]);
  });

  it('is told at once to a second who looks, and watched until the last looks away or is gone', () => {
    const s = start().join(1).join(2);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2', 'u_3');
    s.reading('u_3', true);
    expect(s.look(2, 'c_1')).toEqual(['ask members of c_1']);
    expect(s.members(2, 'c_1', 'u_1', 'u_2', 'u_3')).toEqual(['watch u_1', '2: u_3 ONLINE', 'read u_1']);
    expect(s.away(1, 'c_1')).toEqual(['unwatch u_2']);
    expect(s.step({ kind: 'closed', conn: connId(2) })).toEqual(['unwatch u_1', 'unwatch u_3']);
    expect(s.gateway.presence.watched.size).toBe(0);
    expect(s.wake()).toEqual([]);
  });

  it('of somebody in two chats on screen goes on when one is closed', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2');
    s.look(1, 'c_2');
    expect(s.members(1, 'c_2', 'u_1', 'u_2', 'u_3')).toEqual(['watch u_3', 'read u_3']);
    expect(s.away(1, 'c_2')).toEqual(['unwatch u_3']);
    expect(s.away(1, 'c_1')).toEqual(['unwatch u_2']);
  });

  // A reconnect or a handover to another gateway leaves a short time without a lease.
  it('stays ONLINE for the grace when the last session is gone, and does not flap', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2');
    s.reading('u_2', true);
    expect(s.reading('u_2', false, 100)).toEqual(['wake in 5 s']);
    s.later(3_000);
    expect(s.reading('u_2', false, 100)).toEqual([]);
    expect(s.reading('u_2', true)).toEqual([]);
    s.later(10_000);
    // A new absence has a new grace.
    expect(s.reading('u_2', false, 110)).toEqual(['wake in 5 s']);
    s.later(5_000);
    expect(s.wake()).toEqual(['read u_2', 'wake in 5 s']);
    expect(s.reading('u_2', false, 110)).toEqual(['1: u_2 OFFLINE since 110']);
    expect(s.reading('u_2', true)).toEqual(['1: u_2 ONLINE']);
  });

  it('of who left first is told in time, however many leave after him', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2', 'u_3', 'u_4');
    for (const user of ['u_2', 'u_3', 'u_4']) s.reading(user, true);
    expect(s.reading('u_2', false, 100)).toEqual(['wake in 5 s']);
    s.later(3_000);
    // A wake-up now would take the place of the one that is due in two seconds.
    expect(s.reading('u_3', false, 103)).toEqual([]);
    s.later(2_000);
    expect(s.wake()).toEqual(['read u_2,u_3,u_4', 'wake in 5 s']);
    expect(s.reading('u_2', false, 100)).toEqual(['1: u_2 OFFLINE since 100']);
    s.later(1_000);
    expect(s.reading('u_4', false, 106)).toEqual([]);
  });

  it('has the same grace for who opens the chat during it, and none for who left before', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2', 'u_3');
    expect(s.reading('u_3', false, 95)).toEqual(['1: u_3 OFFLINE since 95']);
    expect(s.reading('u_2', false, 99)).toEqual(['1: u_2 ONLINE', 'wake in 5 s']);
    s.later(5_000);
    expect(s.reading('u_2', false, 99)).toEqual(['1: u_2 OFFLINE since 99']);
  });

  it('ends with the moment the absence was noticed when the registry knows no other', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2');
    s.reading('u_2', true);
    s.reading('u_2', false);
    s.later(5_000);
    expect(s.reading('u_2', false)).toEqual(['1: u_2 OFFLINE since 100']);
  });

  it('is read again on a hint, and now and then without one, in batches', () => {
    const s = start({ lookupBatch: 1 }).join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2', 'u_3');
    expect(s.hint('u_3')).toEqual(['read u_3']);
    expect(s.wake()).toEqual(['read u_2', 'read u_3', 'wake in 15 s']);
  });

  it('follows who joins and leaves while the chat is on screen', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    s.members(1, 'c_1', 'u_1', 'u_2');
    for (let i = 0; i < 3; i++) expect(s.wake()).toEqual(['read u_2', 'wake in 15 s']);
    expect(s.wake()).toEqual(['ask members of c_1', 'read u_2', 'wake in 15 s']);
    expect(s.members(1, 'c_1', 'u_1', 'u_3')).toEqual(['watch u_3', 'unwatch u_2', 'read u_3']);
  });

  it('asks for the members until it is told them; a refusal for good ends the watching', () => {
    const s = start().join(1);
    s.look(1, 'c_1');
    expect(s.refused(1, 'c_1', 'unavailable')).toEqual([]);
    expect(s.wake()).toEqual(['ask members of c_1', 'wake in 15 s']);
    s.members(1, 'c_1', 'u_1', 'u_2');
    expect(s.refused(1, 'c_1', 'not_a_member')).toEqual(['unwatch u_2', '1: ERROR not_a_member']);
  });

  it('is not shown for large groups, and for so many chats at once only', () => {
    const s = start({ presenceMembers: 1, openChats: 1 }).join(1);
    s.look(1, 'c_1');
    expect(s.members(1, 'c_1', 'u_1', 'u_2', 'u_3')).toEqual([]);
    expect(s.members(1, 'c_1', 'u_1', 'u_2')).toEqual(['watch u_2', 'read u_2']);
    expect(s.look(1, 'c_1')).toEqual([]);
    expect(s.look(1, 'c_2')).toEqual(['1: ERROR overloaded']);
    s.away(1, 'c_1');
    expect(s.look(1, 'c_2')).toEqual(['ask members of c_2']);
    // Told too late: the chat is not on screen any more.
    expect(s.members(1, 'c_1', 'u_1', 'u_2')).toEqual([]);
  });
});
