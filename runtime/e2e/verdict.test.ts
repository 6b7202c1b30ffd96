import { expect, test } from 'vitest';
import { chatId, clientMsgId, deviceId, serverMsgId, userId } from '../../core/contract/ids.ts';
import { DEFAULT_LIMITS } from '../../core/contract/limits.ts';
import { OPEN_END } from '../../core/contract/records.ts';
import { micros } from '../../core/contract/time.ts';
import type { Observation } from '../../sim/oracles/observation.ts';
import type { ChatTruth } from './store-truth.ts';
import { judge } from './verdict.ts';

/** The judge of real histories is judged: each bad history must be called by its name. */

const CHAT = chatId('c_1');
const [ALICE, BOB, EVE] = [userId('u_1'), userId('u_2'), userId('u_3')];
const [A, B, E] = [deviceId('d_1'), deviceId('d_2'), deviceId('d_3')];
const spans = [{ after: 0, upTo: OPEN_END }];

const stored = (seq: number) => ({
  chatId: CHAT,
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  clientMsgId: clientMsgId(`s${seq}`),
  from: ALICE,
  fromDevice: A,
  ciphertext: `text ${seq}`,
  mediaIds: [],
  sentAt: micros(0),
});
const truth = (...seqs: number[]): ChatTruth => ({
  chat: {
    chatId: CHAT,
    kind: 'direct',
    head: Math.max(...seqs),
    version: 0,
    members: [ALICE, BOB].map((user) => ({ userId: user, role: 'member' as const, spans })),
  },
  messages: seqs.map(stored),
});
/** The store as it must not be: the send of seq 3 is there as seq 4 as well, and nobody was told of either. */
const storedTwice: ChatTruth = {
  ...truth(1, 2, 3, 4),
  messages: [1, 2, 3, 4].map((seq) => ({ ...stored(seq), clientMsgId: clientMsgId(`s${Math.min(seq, 3)}`) })),
};
/** A group so large that its receipts are counted, all of it from Alice; Bob has everything, the rest nothing. */
const LARGE = DEFAULT_LIMITS.receiptMembers + 1;
const crowd: ChatTruth = {
  chat: {
    ...truth(1, 2).chat,
    kind: 'group',
    members: Array.from({ length: LARGE }, (_, i) => ({
      userId: userId(`u_${i + 1}`),
      role: 'member',
      spans,
    })),
  },
  messages: [1, 2].map(stored),
  watermarks: [
    { chatId: CHAT, userId: BOB, type: 'DELIVERED', seq: 2, serverMsgId: serverMsgId('m_2'), at: micros(0) },
  ],
};

const devices: Observation[] = [
  { kind: 'device', deviceId: A, userId: ALICE },
  { kind: 'device', deviceId: B, userId: BOB },
  { kind: 'device', deviceId: E, userId: EVE },
  { kind: 'device-live', deviceId: A, userId: ALICE, live: true },
  { kind: 'device-live', deviceId: B, userId: BOB, live: true },
];
const send = (seq: number): Observation[] => [
  {
    kind: 'send',
    deviceId: A,
    userId: ALICE,
    chatId: CHAT,
    clientMsgId: clientMsgId(`s${seq}`),
    ciphertext: `text ${seq}`,
  },
  {
    kind: 'acked',
    deviceId: A,
    clientMsgId: clientMsgId(`s${seq}`),
    chatId: CHAT,
    serverMsgId: serverMsgId(`m_${seq}`),
    seq,
  },
];
const shown = (device: typeof A, user: typeof ALICE, seq: number) => ({
  kind: 'shown' as const,
  deviceId: device,
  userId: user,
  chatId: CHAT,
  seq,
  serverMsgId: serverMsgId(`m_${seq}`),
  from: ALICE,
  fromDevice: A,
  ciphertext: `text ${seq}`,
  mediaIds: [],
  sentAt: micros(0),
});
const cursor = (seq: number): Observation => ({ kind: 'cursor-saved', deviceId: B, chatId: CHAT, seq });
const looks: Observation = { kind: 'watching', deviceId: A, chatId: CHAT, on: true };
const counted = (seq: number, deliveredCount: number): Observation => ({
  kind: 'count-shown',
  deviceId: A,
  chatId: CHAT,
  serverMsgId: serverMsgId(`m_${seq}`),
  seq,
  deliveredCount,
  readCount: 0,
});
const good = [1, 2].flatMap((seq) => [...send(seq), shown(A, ALICE, seq), shown(B, BOB, seq)]);
const verdictOf = (observations: readonly Observation[], truths = [truth(1, 2)]) =>
  judge(
    [...devices, ...observations].map((observation, at) => ({ observation, at })),
    truths,
    [A, B],
  );

test('a good history passes', () => {
  expect(verdictOf(good)).toMatchObject({ violation: undefined, stuck: [] });
  expect(verdictOf([...good, cursor(1), cursor(2)])).toMatchObject({ violation: undefined });
  const told = [...good, looks, counted(1, 1), counted(2, 1)];
  expect(verdictOf(told, [crowd])).toMatchObject({ violation: undefined, stuck: [] });
});

test.each([
  ['no-acked-message-lost', good, [truth(1)]],
  [
    'no-acked-message-lost',
    good.filter((o) => !(o.kind === 'shown' && o.deviceId === B && o.seq === 2)),
    undefined,
  ],
  ['no-duplicate-shown', [...good, shown(B, BOB, 2)], undefined],
  ['order-per-chat', [...send(1), ...send(2), shown(B, BOB, 2), shown(B, BOB, 1)], undefined],
  ['order-per-chat', [...good, ...send(3), { ...shown(B, BOB, 3), sentAt: micros(9_000) }], [truth(1, 2, 3)]],
  ['delivered-set-is-membership', [...good, shown(E, EVE, 1)], undefined],
  ['no-duplicate-shown', [...good, ...send(3).slice(0, 1)], [storedTwice]],
  ['cursors-never-regress', [...good, cursor(2), cursor(1)], undefined],
  ['cursors-never-regress', [...good, cursor(3)], undefined],
  ['counts-converge', [...good, looks, counted(1, 1), counted(1, 0)], [crowd]],
  ['counts-converge', [...good, looks, counted(1, 1)], [crowd]],
  ['converges', [...good, ...send(3).slice(0, 1)], undefined],
] as const)('%s: a bad history is found', (name, observations, truths) => {
  expect(verdictOf(observations, truths === undefined ? undefined : [...truths]).violation?.oracle).toBe(
    name,
  );
});
