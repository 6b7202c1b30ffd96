import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatId } from '../../core/contract/ids.ts';
import { keyedInt } from '../../core/contract/random.ts';
import { createFleetDevice, type FleetDevice, type FleetDeviceOptions } from './fleet.ts';

/** People who talk: users with devices, direct chats in a ring, and groups. */
export interface Population {
  readonly devices: readonly FleetDevice[];
  /** Those of them whose users only listen, in the hall. */
  readonly listeners: readonly FleetDevice[];
  readonly chats: readonly ChatId[];
  /** Groups, and a device of who made each; the hall is the last one, if there is one. */
  readonly groups: readonly { readonly chatId: ChatId; readonly owner: FleetDevice }[];
  /** Messages sent so far. */
  readonly sent: number;
  /** Somebody sends to one of his chats; now and then somebody reads. The n-th call does the same in every run of a seed. */
  act(): void;
  /**
   * Waits until every send has its answer and nothing has been shown for a while.
   * @returns whether that came within the time.
   */
  settled(withinMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

export interface PopulationOptions {
  readonly url: string;
  readonly users: number;
  /** From 1: the last device of each user only listens. */
  readonly devicesPerUser: number;
  readonly groups: number;
  readonly groupSize: number;
  /** Users with one device each, who never write: with everybody else they are in one more group, the hall. */
  readonly listeners?: number;
  /** Every so manieth device polls. */
  readonly pollEvery?: number;
  readonly seed: number;
  /** The rest of each device's options. */
  readonly device?: Pick<
    FleetDeviceOptions,
    'witness' | 'gateways' | 'onAcked' | 'onShown' | 'onEffect' | 'limits' | 'transport'
  >;
  readonly payloadBytes?: number;
}

/** User ids start here, apart from the names that people use. */
const FIRST_USER = 1_001;
const QUIET_MS = 700;
const STREAM = { sender: 1, chat: 2, read: 3, member: 4 } as const;

export async function createPopulation(options: PopulationOptions): Promise<Population> {
  const { url, users, devicesPerUser, groups, groupSize, listeners = 0, seed, payloadBytes } = options;
  const { pollEvery = Number.POSITIVE_INFINITY } = options;
  const talking = users * devicesPerUser;
  let shownAt = performance.now();
  let sent = 0;
  const devices: FleetDevice[] = [];
  for (let i = 0; i < talking + listeners; i++) {
    const user = FIRST_USER + (i < talking ? i % users : users + i - talking);
    const device = await createFleetDevice({
      ...options.device,
      ...(i % pollEvery === pollEvery - 1 ? { transport: 'poll' } : {}),
      url,
      user,
      device: FIRST_USER + i,
      onEffect(effect) {
        if (effect.kind === 'show' || effect.kind === 'receipt') shownAt = performance.now();
        options.device?.onEffect?.(effect);
      },
    });
    devices.push(device);
  }
  const chats: ChatId[] = [];
  /** Chats of each user. */
  const chatsOf: ChatId[][] = Array.from({ length: users }, () => []);
  const made: { chatId: ChatId; owner: FleetDevice }[] = [];
  const add = async (kind: 'direct' | 'group', members: number[]): Promise<void> => {
    const [creator, ...others] = members.map((index) => devices[index] as FleetDevice);
    if (creator === undefined) return;
    const { chatId } = await creator.http.createChat(
      kind,
      others.map(({ userId }) => userId),
    );
    chats.push(chatId);
    if (kind === 'group') made.push({ chatId, owner: creator });
    for (const user of members) chatsOf[user]?.push(chatId);
  };
  if (users > 1) for (let user = 0; user < users; user++) await add('direct', [user, (user + 1) % users]);
  for (let group = 0; group < groups; group++) {
    const members = new Set<number>();
    for (let n = 0; members.size < Math.min(groupSize, users); n++)
      members.add(keyedInt(seed, STREAM.member, group * 100_003 + n, users));
    await add('group', [...members]);
  }
  if (listeners > 0) {
    const everybody = Array.from({ length: talking + listeners }, (_, i) => i);
    await add(
      'group',
      everybody.filter((i) => i < users || i >= talking),
    );
  }
  for (const device of devices) device.start();

  return {
    devices,
    listeners: devices.slice(talking),
    groups: made,
    // The ring of two users is one chat.
    chats: [...new Set(chats)],
    get sent() {
      return sent;
    },
    act() {
      const n = sent++;
      const index = keyedInt(seed, STREAM.sender, n, users);
      const mine = chatsOf[index] ?? [];
      const chat = mine[keyedInt(seed, STREAM.chat, n, mine.length)];
      const device = devices[index];
      if (chat === undefined || device === undefined) return;
      device.send(chat, payloadBytes);
      const reader = devices[keyedInt(seed, STREAM.read, n, devices.length)];
      if (n % 4 === 0) reader?.read(chat);
    },
    async settled(withinMs) {
      const until = performance.now() + withinMs;
      while (performance.now() < until) {
        const waiting = devices.some((device) => device.waiting > 0 || device.status !== 'live');
        if (!waiting && performance.now() - shownAt > QUIET_MS) return true;
        await sleep(50);
      }
      return false;
    },
    async stop() {
      await Promise.all(devices.map((device) => device.stop()));
    },
  };
}
