import type { Mutant } from './mutant.ts';

const RATES = 'core/session/session-rates.ts';
const OUTBOX = 'core/device/outbox.ts';

/** Bugs of the rate limits, on both sides of the wire. */
export const RATE_MUTANTS: readonly Mutant[] = [
  {
    name: 'rate-never-charged',
    file: RATES,
    find: '  device.fullAt = charged(device.fullAt, devices.rate, now);\n',
    replace: '',
    story: 'Buckets are looked at and never emptied: a device writes as fast as it likes.',
    expected: ['rates-are-fair'],
  },
  {
    name: 'token-never-comes-back',
    file: 'core/session/rate-limit.ts',
    find: 'return span <= 0 || span > rate.burst * rate.interval ? 0 : span;',
    replace: 'return fullAt === 0 ? 0 : rate.burst * rate.interval;',
    story: 'A bucket that was used once stays empty: honest devices are refused for ever.',
    expected: ['rates-are-fair', 'converges'],
  },
  {
    name: 'refused-send-is-overtaken',
    file: RATES,
    find: '    rates.first = id;\n',
    replace: '',
    story: 'A send was refused, the next one finds a token again and passes it by, or takes it every time.',
    expected: ['rates-are-fair', 'converges'],
  },
  {
    name: 'waits-for-what-was-let-through',
    file: RATES,
    find: '  rates.first = undefined;\n  device.fullAt',
    replace: '  device.fullAt',
    story:
      'The refused send comes again and is passed on, and those behind it go on waiting for it, for as long as a request may take.',
    expected: ['rates-are-fair'],
  },
  {
    name: 'answered-send-is-waited-for',
    file: RATES,
    find: '  if (rates.first === id) rates.first = undefined;\n',
    replace: '',
    story:
      'A repeat is refused for its rate, then the first of it is answered: what is behind waits for nobody.',
    expected: ['rates-are-fair'],
  },
  {
    name: 'asked-to-wait-and-does-not',
    file: OUTBOX,
    find: 'if (hasElapsed(since, span, now)) {',
    replace: 'if (span >= 0) {',
    story: 'A device that is told to wait sends again at once.',
    expected: ['rates-are-fair'],
  },
  {
    name: 'refused-send-forgotten',
    file: OUTBOX,
    find: '    if (behind) takeBack(outbox, outgoing);\n',
    replace: '    if (behind && outgoing.sentAt !== undefined) outbox.inFlight--;\n',
    story: 'A send that was refused for its rate counts as sent, and nobody sends it again.',
    expected: ['converges', 'bounded'],
  },
];
