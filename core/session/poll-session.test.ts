import { describe, expect, it } from 'vitest';
import { connId } from '../contract/ids.ts';
import { DEFAULT_LIMITS, type Limits } from '../contract/limits.ts';
import { SECOND } from '../contract/time.ts';
import type { ServerFrame } from '../wire/frames.ts';
import {
  createPollSession,
  type PollCursors,
  type PollSessionEvent,
  stepPollSession,
} from './poll-session.ts';

const WELCOME = { frame: 'WELCOME' } as ServerFrame;
const PONG: ServerFrame = { frame: 'PONG', t: 1 };
const REFUSAL = { frame: 'ERROR', code: 'overloaded', message: 'full' } as ServerFrame;

/** A session that has said what it does, in short: "respond 2: a b up to 3", "refuse 2: gone", "tell polled". */
function start(change: Partial<Limits> = {}, cursors?: PollCursors) {
  const session = createPollSession<string>(connId(1), { ...DEFAULT_LIMITS, ...change }, cursors);
  const step = (event: PollSessionEvent<string>): string[] =>
    stepPollSession(session, event).map((effect) => {
      switch (effect.kind) {
        case 'respond': {
          const { frames, last } = effect.page;
          const closed = effect.closed === undefined ? '' : ` closed ${effect.closed.code}`;
          return `respond ${effect.request}: ${[...frames, ''].join(' ')}up to ${last}${closed}`;
        }
        case 'refuse':
          return `refuse ${effect.request}: ${effect.why.kind}`;
        case 'hear':
          return `hear ${effect.request}`;
        case 'tell':
          return `tell ${effect.event.kind}`;
        case 'wake':
          return `wake ${effect.timer} ${effect.after / SECOND}`;
        default:
          return effect.kind;
      }
    });
  const say = (text: string, what: ServerFrame = PONG): string[] =>
    step({ kind: 'say', frame: text, size: text.length, what });
  return {
    step,
    say,
    flush: () => step({ kind: 'flush' }),
    poll: (request: number, ack?: number) => step({ kind: 'poll', request, ack, wait: 25 * SECOND }),
    post: (request: number, ack?: number) => step({ kind: 'post', request, ack }),
    end: (code: number) => step({ kind: 'end', code, reason: 'because' }),
    carried: (request: number, whole = true) => step({ kind: 'carried', request, whole }),
  };
}

function opened(change: Partial<Limits> = {}) {
  const session = start(change);
  expect(session.step({ kind: 'connect', request: 1 })).toEqual(['open', 'tell polled']);
  session.say('welcome', WELCOME);
  expect(session.flush()).toEqual(['respond 1: welcome up to 1']);
  expect(session.carried(1)).toEqual(['tell polled']);
  return session;
}

describe('a poll session', () => {
  it('answers who waits with what one turn said, and again until it is acknowledged', () => {
    const session = opened();
    expect(session.poll(2, 1)).toEqual(['tell polled', 'wake wait 25']);
    session.say('a');
    session.say('b');
    expect(session.flush()).toEqual(['respond 2: a b up to 3']);
    session.carried(2);
    expect(session.poll(3, 1)).toEqual(['tell polled', 'respond 3: a b up to 3']);
    expect(session.poll(4, 3)).toEqual(['tell polled', 'wake wait 25']);
    expect(session.step({ kind: 'wake', timer: 'wait' })).toEqual(['respond 4: up to 3']);
  });

  it('lets a newer poll take the place of one that waits', () => {
    const session = opened();
    session.poll(2, 1);
    expect(session.poll(3, 1)).toEqual(['tell polled', 'respond 2: up to 1', 'wake wait 25']);
    // Whose peer is gone is not answered.
    expect(session.step({ kind: 'gone', request: 3 })).toEqual([]);
    session.say('a');
    expect(session.flush()).toEqual([]);
  });

  it('says that it is over with its last frames, not before them', () => {
    const session = opened({ pollResponseBytes: 1 });
    session.say('a');
    session.say('goaway');
    expect(session.end(4001)).toEqual(['wake linger 60']);
    expect(session.poll(2, 1)).toEqual(['respond 2: a up to 2']);
    expect(session.carried(2)).toEqual([]);
    expect(session.poll(3, 2)).toEqual(['respond 3: goaway up to 3 closed 4001']);
    session.carried(3);
    expect(session.poll(4, 3)).toEqual(['refuse 4: gone', 'forget']);
  });

  it('reads what is posted, unless the device does not take what it is told', () => {
    const session = opened({ socketBufferBytes: 20 });
    expect(session.post(2, 1)).toEqual(['tell polled', 'hear 2']);
    session.say('much-to-say');
    expect(session.flush()).toEqual(['tell buffered']);
    expect(session.step({ kind: 'heard', request: 2 })).toEqual(['respond 2: much-to-say up to 2']);
    expect(session.post(3, 1)).toEqual(['tell buffered', 'refuse 3: congested']);
    expect(session.post(4, 2)).toEqual(['tell buffered', 'tell polled', 'hear 4']);
    expect(session.post(5, 9)).toEqual(['refuse 5: bad-ack']);
  });

  it('refuses who is not let in, and forgets who leaves', () => {
    const refused = start();
    refused.step({ kind: 'connect', request: 1 });
    refused.say('error', REFUSAL);
    expect(refused.end(4006)).toEqual(['refuse 1: not-opened', 'wake linger 60']);
    const impatient = start();
    impatient.step({ kind: 'connect', request: 1 });
    expect(impatient.step({ kind: 'gone', request: 1 })).toEqual(['tell closed', 'forget']);
    const session = opened();
    session.poll(2, 1);
    expect(session.step({ kind: 'leave' })).toEqual([
      'respond 2: up to 1 closed 1000',
      'tell closed',
      'forget',
    ]);
  });

  it('resumes by itself when the connect said from where, and waits a moment for the start of the replay', () => {
    const session = start({}, []);
    session.step({ kind: 'connect', request: 1 });
    expect(session.say('welcome', WELCOME)).toEqual(['wake replay 1', 'tell frame']);
    expect(session.flush()).toEqual([]);
    session.say('a');
    expect(session.flush()).toEqual(['respond 1: welcome a up to 2']);
  });
});
