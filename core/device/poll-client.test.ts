import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { MILLISECOND, SECOND } from '../contract/time.ts';
import { createPollClient, type PollClientEvent, stepPollClient } from './poll-client.ts';

/** A client that has said what it asks for, in short: "poll 3 ack=2", "post 4 ack=2 a b", "frame x", "wake poll 500". */
function start(change: Partial<Limits> = {}) {
  const client = createPollClient<string>({ ...DEFAULT_LIMITS, ...change });
  const step = (event: PollClientEvent<string, string>): string[] =>
    stepPollClient<string, string>(client, event).map((effect) => {
      switch (effect.kind) {
        case 'ask': {
          const { request, ask } = effect;
          if (ask.kind === 'connect') return `connect ${request}`;
          const frames = ask.kind === 'post' ? ask.frames.map((frame) => ` ${frame}`).join('') : '';
          return `${ask.kind} ${request} ack=${ask.ack}${frames}`;
        }
        case 'wake':
          return `wake ${effect.timer} ${effect.after / MILLISECOND}`;
        case 'frame':
          return `frame ${effect.frame}`;
        case 'closed':
          return `closed ${effect.code}`;
        case 'refused':
          return `refused ${effect.status}`;
        default:
          return effect.kind;
      }
    });
  return {
    step,
    begin: () => step({ kind: 'begin' }),
    answer: (request: number, frames: readonly string[], last: number, code?: number) =>
      step({
        kind: 'answered',
        request,
        answer: { frames, last, closed: code === undefined ? undefined : { code } },
      }),
    fail: (request: number, status?: number, retryAfter = 0) =>
      step({ kind: 'failed', request, status, retryAfter }),
    say: (...frames: string[]) => {
      for (const frame of frames) step({ kind: 'say', frame, size: frame.length });
      return step({ kind: 'flush' });
    },
  };
}

function opened(change: Partial<Limits> = {}) {
  const client = start(change);
  expect(client.begin()).toEqual(['connect 1']);
  expect(client.answer(1, ['welcome'], 1)).toEqual(['opened', 'frame welcome', 'poll 2 ack=1']);
  return client;
}

describe('a client that polls', () => {
  it('asks again for what an answer brought in vain, with what it has, and gives up after some failures in a row', () => {
    const client = opened();
    expect(client.fail(2)).toEqual(['wake poll 500']);
    expect(client.step({ kind: 'wake', timer: 'poll' })).toEqual(['poll 3 ack=1']);
    expect(client.answer(3, ['a', 'b'], 3)).toEqual(['frame a', 'frame b', 'poll 4 ack=3']);
    expect(client.fail(4, 502)).toEqual(['wake poll 500']);
    client.step({ kind: 'wake', timer: 'poll' });
    expect(client.fail(5, 429, 3 * SECOND)).toEqual(['wake poll 3000']);
    client.step({ kind: 'wake', timer: 'poll' });
    expect(client.fail(6)).toEqual(['closed 1006']);
    expect(client.answer(6, ['c'], 4)).toEqual([]);
  });

  it('does not ask again when that cannot help', () => {
    expect(opened().fail(2, 404)).toEqual(['closed 1006']);
    expect(opened().fail(2, 401)).toEqual(['closed 4005']);
  });

  it('leaves out what it has, and takes nothing of an answer behind a hole', () => {
    const client = opened();
    expect(client.say('x')).toEqual(['post 3 ack=1 x']);
    expect(client.answer(3, ['a', 'b'], 3)).toEqual(['frame a', 'frame b']);
    expect(client.answer(2, ['a', 'b', 'c'], 4)).toEqual(['frame c', 'poll 4 ack=4']);
    expect(client.answer(4, ['e'], 6)).toEqual(['closed 1006']);
  });

  it('ignores the answer to a request that it has given up', () => {
    const client = opened();
    client.fail(2);
    client.step({ kind: 'wake', timer: 'poll' });
    expect(client.answer(2, ['a'], 2)).toEqual([]);
    expect(client.answer(3, ['a'], 2)).toEqual(['frame a', 'poll 4 ack=2']);
  });

  it('posts one request at a time, in order, as much as fits', () => {
    const client = opened({ pollFrames: 4, pollRequestBytes: 5 });
    expect(client.say('one', 'of', 'them')).toEqual(['post 3 ack=1 one of']);
    expect(client.say('more')).toEqual([]);
    expect(client.answer(3, [], 1)).toEqual(['post 4 ack=1 them']);
    expect(client.answer(4, [], 1)).toEqual(['post 5 ack=1 more']);
  });

  it('posts again what was refused unread, and counts the connection as broken when it cannot know', () => {
    const client = opened();
    client.say('a');
    expect(client.fail(3, 503, SECOND)).toEqual(['wake post 1000']);
    expect(client.say('b')).toEqual([]);
    expect(client.step({ kind: 'wake', timer: 'post' })).toEqual(['post 4 ack=1 a b']);
    expect(client.fail(4)).toEqual(['closed 1006']);
  });

  it('hears of the end of its session, with the last frames', () => {
    expect(opened().answer(2, ['goaway'], 2, 4001)).toEqual(['frame goaway', 'closed 4001']);
  });

  it('is refused with the status of the answer, and is broken when there is none', () => {
    const refused = start();
    refused.begin();
    expect(refused.fail(1, 429)).toEqual(['refused 429']);
    const broken = start();
    broken.begin();
    expect(broken.fail(1)).toEqual(['closed 1006']);
  });

  it('says that it leaves, also when it learns only afterwards that it was connected', () => {
    const client = opened();
    expect(client.step({ kind: 'leave' })).toEqual(['leave']);
    expect(client.say('x')).toEqual([]);
    expect(client.answer(2, ['a'], 2)).toEqual([]);
    const early = start();
    early.begin();
    expect(early.step({ kind: 'leave' })).toEqual([]);
    expect(early.answer(1, ['welcome'], 1)).toEqual(['leave']);
  });
});
