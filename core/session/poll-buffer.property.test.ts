import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newPollInbox, takeResponse } from '../device/poll-inbox.ts';
import {
  acknowledge,
  addFrame,
  hasPage,
  newPollBuffer,
  type PollPage,
  responseEnded,
  takePage,
} from './poll-buffer.ts';

/** A step of a poll session: the session says something, or the device asks, and the answer fares well or not. */
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('say' as const), size: fc.integer({ min: 1, max: 9 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      fate: fc.constantFrom('arrives', 'late', 'lost'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late answers arrive' as const) }) },
);

describe('a device that acknowledges', () => {
  it('gets every frame once and in order, whatever responses are lost or overtake each other', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (steps, pageSize) => {
        const buffer = newPollBuffer();
        const inbox = newPollInbox();
        const said: string[] = [];
        const got: string[] = [];
        let late: PollPage[] = [];
        const arrive = ({ frames, last }: PollPage): void => {
          got.push(...(takeResponse(inbox, frames, last) ?? []));
          expect(got).toEqual(said.slice(0, got.length));
        };
        const ask = (): PollPage => {
          expect(acknowledge(buffer, inbox.got)).toBe(true);
          return takePage(buffer, pageSize);
        };
        for (const each of steps) {
          switch (each.kind) {
            case 'say': {
              const text = String(said.length).padEnd(each.size, '.');
              said.push(text);
              addFrame(buffer, text, text.length);
              break;
            }
            case 'ask': {
              const page = ask();
              // The server cannot tell a response that was lost from one that was not.
              responseEnded(buffer, page, true);
              if (each.fate === 'arrives') arrive(page);
              else if (each.fate === 'late') late.push(page);
              break;
            }
            case 'late answers arrive':
              late.reverse().forEach(arrive);
              late = [];
          }
        }
        for (let left = said.length; got.length < said.length && left >= 0; left--) arrive(ask());
        expect(got).toEqual(said);
        acknowledge(buffer, inbox.got);
        expect(buffer).toMatchObject({ waiting: [], size: 0 });
      }),
    );
  });

  it('cannot acknowledge what no response has carried', () => {
    const buffer = newPollBuffer();
    addFrame(buffer, 'a', 1);
    expect(acknowledge(buffer, 1)).toBe(false);
    expect(takePage(buffer, 10)).toEqual({ frames: ['a'], last: 1 });
    expect(acknowledge(buffer, 1)).toBe(true);
    expect(acknowledge(buffer, 0)).toBe(true);
    expect(hasPage(buffer)).toBe(false);
  });
});

describe('a device that never acknowledges', () => {
  it('gets every frame in order, at least once, when the server hears of the responses that broke off', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (steps, pageSize) => {
        const buffer = newPollBuffer();
        const said: string[] = [];
        const got: string[] = [];
        const ask = (whole: boolean): void => {
          const page = takePage(buffer, pageSize);
          if (whole) got.push(...page.frames);
          responseEnded(buffer, page, whole);
        };
        for (const each of steps) {
          if (each.kind === 'say') {
            const text = `${said.length} `.padEnd(each.size, '.');
            said.push(text);
            addFrame(buffer, text, text.length);
          } else ask(each.kind === 'ask' && each.fate === 'arrives');
        }
        for (let left = said.length; left >= 0; left--) ask(true);
        // One request at a time: nothing comes twice either.
        expect(got).toEqual(said);
        expect(buffer).toMatchObject({ waiting: [], size: 0 });
      }),
    );
  });

  it('is not taken to have a later response when an earlier one broke off', () => {
    const buffer = newPollBuffer();
    addFrame(buffer, 'a', 1);
    const first = takePage(buffer, 10);
    addFrame(buffer, 'b', 1);
    const second = takePage(buffer, 10);
    expect(second).toEqual({ frames: ['b'], last: 2 });
    responseEnded(buffer, first, false);
    responseEnded(buffer, second, true);
    expect(takePage(buffer, 10)).toEqual({ frames: ['a', 'b'], last: 2 });
  });
});
