import type { ConnId, DeviceId, UserId } from '../../core/contract/ids.ts';
import type { Limits } from '../../core/contract/limits.ts';
import type { Micros } from '../../core/contract/time.ts';
import type { DeviceEffect } from '../../core/device/device-effect.ts';
import type { DeviceEvent, DeviceTimer } from '../../core/device/device-event.ts';
import { createDevice, stepDevice } from '../../core/device/device.ts';
import type { Transport, TransportChoice } from '../../core/device/transport.ts';
import { encodeClientFrame } from '../../core/wire/client-codec.ts';
import { decodeServerFrame } from '../../core/wire/server-codec.ts';
import { pollOpener } from './client-poll.ts';
import type { ClientSocket, OpenSocket } from './client-socket.ts';
import { isDurable, type DeviceStorage } from './device-storage.ts';

/** Runs one device machine: its connection, its timers and its disk are real, its decisions are the core's. */
export interface DeviceShell {
  dispatch(event: DeviceEvent): void;
  /** Ends timers and the connection, finishes writing, closes the storage. Nothing is dispatched afterwards. */
  close(): Promise<void>;
}

export interface DeviceShellOptions {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly limits: Limits;
  /** 32 bits, unsigned: spreads reconnects. */
  readonly seed: number;
  /** The address of `/ws/connect`, with ws: or wss:. `/poll/` is beside it. */
  readonly wsUrl: string;
  /** What may carry the frames; WebSockets alone unless it says otherwise. */
  readonly transport?: TransportChoice;
  readonly getToken: () => Promise<string>;
  readonly openSocket: OpenSocket;
  readonly storage: DeviceStorage;
  /** Every effect, in order, once what comes before it is durable. */
  readonly onEffect: (effect: DeviceEffect) => void;
  /** The device cannot go on: its storage failed, or an invariant broke. */
  readonly onBroken: (error: unknown) => void;
}

/** Loads what earlier runs kept and creates the machine; it connects at its `start` event. */
export async function startDevice(options: DeviceShellOptions): Promise<DeviceShell> {
  const { userId, deviceId, limits, seed, storage, onEffect, onBroken } = options;
  const { transport = 'websocket' } = options;
  const device = createDevice({
    userId,
    deviceId,
    limits,
    seed,
    transport,
    disk: await storage.load(userId),
  });
  const connections = createConnections(options, dispatch, fail);
  const timers = new Map<DeviceTimer, ReturnType<typeof setTimeout>>();
  let events: DeviceEvent[] = [];
  let stepping = false;
  /** Effects that wait for the storage, in order, and those before them that may be carried out. */
  const held: DeviceEffect[] = [];
  let ready: DeviceEffect[] = [];
  let releasing = false;
  let saving: Promise<void> | undefined;
  let over = false;

  function dispatch(event: DeviceEvent): void {
    if (over) return;
    events.push(event);
    if (stepping) return;
    stepping = true;
    try {
      for (let i = 0; i < events.length && !over; i++) {
        held.push(...stepDevice(device, events[i] as DeviceEvent, (Date.now() * 1_000) as Micros));
        release();
      }
    } catch (error) {
      fail(error);
    } finally {
      events = [];
      stepping = false;
    }
  }

  /**
   * Carries out what is held, after saving all of it that must be durable: one write for everything that gathered while
   * the write before it was under way. Saving an effect earlier than its turn does no harm, but for one: a send leaves
   * the outbox only after the application was told what became of it, or a crash in between would keep that from it.
   */
  function release(): void {
    if (releasing) return;
    releasing = true;
    try {
      while (!over && (ready.length > 0 || (saving === undefined && held.length > 0))) {
        const effects = ready;
        ready = [];
        effects.forEach(carryOut);
        if (saving === undefined && held.length > 0) save();
      }
    } finally {
      releasing = false;
    }
  }

  function save(): void {
    const effects = held.splice(0, saveable(held));
    const durable = effects.filter(isDurable);
    saving = durable.length === 0 ? undefined : storage.commit(durable);
    if (saving === undefined) ready = effects;
    else saving.then(() => saved(effects)).catch(fail);
  }

  function saved(effects: DeviceEffect[]): void {
    saving = undefined;
    ready = effects;
    release();
  }

  function carryOut(effect: DeviceEffect): void {
    switch (effect.kind) {
      case 'connect':
        connections.open(effect.conn, effect.transport);
        break;
      case 'disconnect':
        connections.close(effect.conn, effect.code);
        break;
      case 'frame':
        connections.send(effect.conn, encodeClientFrame(effect.frame));
        break;
      case 'wake':
        clearTimeout(timers.get(effect.timer));
        timers.set(effect.timer, setTimeout(wake, delayMs(effect.after), effect.timer));
        break;
      default:
    }
    onEffect(effect);
  }

  function wake(timer: DeviceTimer): void {
    timers.delete(timer);
    dispatch({ kind: 'wake', timer });
  }

  function end(): void {
    over = true;
    for (const timer of timers.values()) clearTimeout(timer);
    connections.closeAll();
  }

  function fail(error: unknown): void {
    if (over) return;
    end();
    onBroken(error);
  }

  return {
    dispatch,
    async close() {
      dispatch({ kind: 'stop' });
      // One write after the other, up to the last: behind a message that was acknowledged another one may wait for its turn.
      while (saving !== undefined && !over) await saving.catch(() => undefined);
      end();
      await storage.close();
    },
  };
}

/** A longer delay of `setTimeout` counts as none at all. */
const LONGEST_MS = 2 ** 31 - 1;

function delayMs(micros: number): number {
  return Math.min(Math.ceil(micros / 1_000), LONGEST_MS);
}

/** How many of the effects may be saved together: up to the next thing that the application must be told first. */
function saveable(effects: readonly DeviceEffect[]): number {
  const told = effects.findIndex(isTold);
  if (told > 0) return told;
  const rest = effects.findIndex((effect) => !isTold(effect));
  return rest < 0 || told < 0 ? effects.length : rest;
}

function isTold({ kind }: DeviceEffect): boolean {
  return kind === 'sent' || kind === 'send-failed';
}

interface Connections {
  open(conn: ConnId, transport: Transport): void;
  send(conn: ConnId, text: string): void;
  close(conn: ConnId, code: number): void;
  closeAll(): void;
}

const ABNORMAL = 1006;
const NORMAL = 1000;

function createConnections(
  { wsUrl, getToken, openSocket, limits }: DeviceShellOptions,
  dispatch: (event: DeviceEvent) => void,
  fail: (error: unknown) => void,
): Connections {
  /** Undefined while the token is awaited; absent once closed. */
  const sockets = new Map<ConnId, ClientSocket | undefined>();

  const openPoll = pollOpener(limits);
  const pollUrl = new URL('../poll/', wsUrl.replace(/^ws/, 'http')).href;

  function connect(conn: ConnId, transport: Transport, token: string): void {
    if (!sockets.has(conn)) return;
    const [open, url] = transport === 'poll' ? [openPoll, pollUrl] : [openSocket, wsUrl];
    const socket = open(url, token, {
      open: () => dispatch({ kind: 'connected', conn }),
      text(text) {
        const decoded = decodeServerFrame(text);
        // A newer server may speak frames that this client does not know; they are additions, never required.
        if (decoded.ok) dispatch({ kind: 'frame', conn, frame: decoded.frame });
      },
      closed(code) {
        sockets.delete(conn);
        dispatch({ kind: 'closed', conn, code });
      },
      refused(status) {
        sockets.delete(conn);
        dispatch({ kind: 'refused', conn, status });
      },
    });
    sockets.set(conn, socket);
  }

  function close(conn: ConnId, code: number): void {
    const socket = sockets.get(conn);
    sockets.delete(conn);
    socket?.close(code);
  }

  return {
    open(conn, transport) {
      sockets.set(conn, undefined);
      getToken()
        .then(
          (token) => connect(conn, transport, token),
          () => {
            sockets.delete(conn);
            dispatch({ kind: 'closed', conn, code: ABNORMAL });
          },
        )
        // An address or a token that nobody can connect with: the next attempt would end the same way.
        .catch(fail);
    },
    send: (conn, text) => sockets.get(conn)?.send(text),
    close,
    closeAll() {
      for (const conn of sockets.keys()) close(conn, NORMAL);
    },
  };
}
