import { setTimeout as sleep } from 'node:timers/promises';
import { callHttp } from '../client/http-calls.ts';
import { createLatencySample } from './latency-sample.ts';
import { connectLoadDevice, type ConnectDevice, type LoadDevice } from './load-device.ts';

/** Pairs of users in direct chats, each with a connection. */
export interface LoadPairs {
  /** As many messages as the server takes, `window` under way per sender. */
  saturate(seconds: number, window: number): Promise<LoadResult>;
  /** A fixed number of messages a second, whether or not the server keeps up. */
  pace(seconds: number, perSecond: number): Promise<LoadResult>;
  close(): Promise<void>;
}

export interface LoadResult {
  /** Durable and acknowledged, per second. */
  readonly ackedPerSecond: number;
  /** Arrived at the other device, per second. */
  readonly deliveredPerSecond: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
  readonly ackP999Ms: number;
  readonly deliveryP50Ms: number;
  readonly deliveryP99Ms: number;
  readonly deliveryP999Ms: number;
  readonly refused: number;
  /** Messages before which some are missing. */
  readonly outOfOrder: number;
  /** Messages that came to a receiver once more. */
  readonly repeated: number;
}

export interface PairOptions {
  /** What connects who sends and who receives: the light device unless it says otherwise. */
  readonly sender?: ConnectDevice;
  readonly receiver?: ConnectDevice;
}

/** User ids of the load start here. */
const FIRST_USER = 1_000_000;
const CIPHERTEXT_BYTES = 100;
const TICK_MS = 2;

/**
 * Connects the pairs; each writes from one of the servers to the next, so that with several a message crosses between them.
 * @param urls at least one.
 */
export async function connectPairs(
  urls: readonly string[],
  pairs: number,
  options: PairOptions = {},
): Promise<LoadPairs> {
  const { sender: connectSender = connectLoadDevice, receiver: connectReceiver = connectLoadDevice } =
    options;
  const urlOf = (index: number): string => urls[index % urls.length] as string;
  const acks = createLatencySample();
  const deliveries = createLatencySample();
  const order = createOrderCheck();
  let refused = 0;
  let onAnswer: (sender: number) => void = () => undefined;
  const senders: { readonly device: LoadDevice; readonly chatId: string }[] = [];
  const receivers: LoadDevice[] = [];
  for (let i = 0; i < pairs; i++) {
    const [user, peer] = [FIRST_USER + 2 * i, FIRST_USER + 2 * i + 1];
    const url = urlOf(i);
    const device = await connectSender({
      url,
      user,
      device: user,
      onAck(ms) {
        acks.add(ms);
        onAnswer(i);
      },
      onRefused() {
        refused++;
        onAnswer(i);
      },
    });
    const onMessage = (ciphertext: string, seq: number): void => {
      if (order.isNew(i, seq)) deliveries.add(Date.now() - madeAt(ciphertext));
    };
    receivers.push(await connectReceiver({ url: urlOf(i + 1), user: peer, device: peer, onMessage }));
    senders.push({ device, chatId: await createDirect(url, user, peer) });
  }
  const sendFrom = (index: number): void => {
    const sender = senders[index];
    sender?.device.send(sender.chatId, stamped());
  };

  async function measured(run: () => Promise<number>): Promise<LoadResult> {
    acks.clear();
    deliveries.clear();
    refused = 0;
    order.clear();
    const seconds = await run();
    const at = (sample: typeof acks, share: number): number => sample.percentile(share) ?? Number.NaN;
    return {
      ackedPerSecond: acks.count / seconds,
      deliveredPerSecond: deliveries.count / seconds,
      ackP50Ms: at(acks, 0.5),
      ackP99Ms: at(acks, 0.99),
      ackP999Ms: at(acks, 0.999),
      deliveryP50Ms: at(deliveries, 0.5),
      deliveryP99Ms: at(deliveries, 0.99),
      deliveryP999Ms: at(deliveries, 0.999),
      refused,
      outOfOrder: order.outOfOrder,
      repeated: order.repeated,
    };
  }
  /** Until everything is answered and has arrived: what one load leaves behind is not the next one's to wait for. */
  const settled = async (): Promise<void> => {
    onAnswer = () => undefined;
    for (let i = 0; i < 500 && senders.some(({ device }) => device.waiting > 0); i++) await sleep(10);
    for (let i = 0; i < 1_500 && deliveries.count < acks.count; i++) await sleep(10);
    await sleep(100);
  };

  return {
    saturate: (seconds, window) =>
      measured(async () => {
        const began = performance.now();
        onAnswer = sendFrom;
        for (let n = 0; n < window; n++) for (let i = 0; i < pairs; i++) sendFrom(i);
        await sleep(seconds * 1_000);
        onAnswer = () => undefined;
        const elapsed = (performance.now() - began) / 1_000;
        await settled();
        return elapsed;
      }),
    pace: (seconds, perSecond) =>
      measured(async () => {
        const began = performance.now();
        for (let sent = 0; performance.now() - began < seconds * 1_000; await sleep(TICK_MS)) {
          const due = ((performance.now() - began) / 1_000) * perSecond;
          for (; sent < due; sent++) sendFrom(sent % pairs);
        }
        const elapsed = (performance.now() - began) / 1_000;
        await settled();
        return elapsed;
      }),
    async close() {
      await Promise.all([
        ...senders.map(({ device }) => device.close()),
        ...receivers.map((device) => device.close()),
      ]);
    },
  };
}

interface OrderCheck {
  readonly outOfOrder: number;
  readonly repeated: number;
  /** @returns whether the message of a pair comes for the first time. */
  isNew(pair: number, seq: number): boolean;
  clear(): void;
}

/** In each chat one of the two writes, so that the other must get every seq, one after the other. */
function createOrderCheck(): OrderCheck {
  const last = new Map<number, number>();
  let [outOfOrder, repeated] = [0, 0];
  return {
    get outOfOrder() {
      return outOfOrder;
    },
    get repeated() {
      return repeated;
    },
    isNew(pair, seq) {
      const before = last.get(pair);
      if (before !== undefined && seq <= before) {
        repeated++;
        return false;
      }
      // An earlier load may have left messages in the chat: the first one that comes is the beginning.
      if (before !== undefined && seq > before + 1) outOfOrder++;
      last.set(pair, seq);
      return true;
    },
    clear() {
      [outOfOrder, repeated] = [0, 0];
    },
  };
}

async function createDirect(url: string, user: number, peer: number): Promise<string> {
  const body = { userId: `u_${user}`, deviceId: `d_${user}` };
  const { token } = await callHttp<{ token: string }>(url, 'POST', '/v1/dev/token', { body });
  const chat = { kind: 'direct', members: [`u_${peer}`] };
  return (await callHttp<{ chatId: string }>(url, 'POST', '/v1/chats', { token, body: chat })).chatId;
}

/** The time, in the first 8 bytes of what stands for ciphertext. */
function stamped(): string {
  const bytes = Buffer.alloc(CIPHERTEXT_BYTES);
  bytes.writeDoubleBE(performance.timeOrigin + performance.now());
  return bytes.toString('base64');
}

function madeAt(ciphertext: string): number {
  return Buffer.from(ciphertext.slice(0, 12), 'base64').readDoubleBE();
}
