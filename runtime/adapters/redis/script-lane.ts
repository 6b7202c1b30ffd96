import type { LeaseScript } from './lease-scripts.ts';
import type { RedisConnection } from './redis-connection.ts';
import { cutRuns, sendRun, type ScriptRun } from './script-run.ts';

/** One call of a port: a script over some keys. */
export interface ScriptCall {
  readonly script: LeaseScript;
  readonly keys: readonly string[];
  /** `script.argsPerKey` for each key. */
  readonly args: readonly (string | number)[];
  /**
   * Called exactly once, later than `submit`. One reply for each key, in order; undefined where the server did not answer
   * in time, refused, or could not be asked: the script may have run all the same.
   */
  readonly done: (replies: readonly unknown[]) => void;
}

/** `refused`: too many wait already. */
export type ScriptFailure = 'timeout' | 'refused' | 'error';

export interface ScriptLaneOptions {
  readonly connection: RedisConnection;
  readonly callTimeoutMs: number;
  /** Keys waiting for an answer; beyond it calls are answered as not answered, at once. */
  readonly maxInFlight: number;
  readonly onFailure: (call: ScriptCall, reason: ScriptFailure, error: Error | undefined) => void;
}

export interface ScriptLane {
  submit(call: ScriptCall): void;
  /** Answers what is under way as not answered. */
  close(): void;
}

/** Keys in one script run of a single server. It serves nobody else meanwhile: 64 take it some 200 microseconds. */
const KEYS_PER_RUN = 64;
/** Keys that are sent and not answered: a cluster takes some 30,000 a second from one process, a single server ten times that. */
const WINDOW_KEYS = 8_192;

interface OpenCall {
  readonly call: ScriptCall;
  readonly replies: unknown[];
  /** Keys without a reply or an error. */
  open: number;
  settled: boolean;
}

/** What one flush has sent. */
interface Sent {
  readonly calls: readonly OpenCall[];
  /** Keys without a reply or an error. */
  keys: number;
  readonly timer: NodeJS.Timeout;
}

/**
 * Carries scripts to the servers in batches: the calls of one turn of the event loop leave together, in the order in which
 * they came, as one write to each server; on a single server many keys share one run of a script. No more than a window of
 * keys is under way, so that a burst (a gateway renews all its sessions at once) waits here and not behind its own deadline.
 */
export function createScriptLane(options: ScriptLaneOptions): ScriptLane {
  const { connection, callTimeoutMs, maxInFlight, onFailure } = options;
  const keysPerRun = connection.isCluster ? 1 : KEYS_PER_RUN;
  let waiting: OpenCall[] = [];
  /** Keys of calls that are not settled, and those of them that were sent. */
  let inFlight = 0;
  let sentKeys = 0;
  let scheduled: NodeJS.Immediate | undefined;
  const underWay = new Set<Sent>();

  function settle(open: OpenCall): void {
    if (open.settled) return;
    open.settled = true;
    inFlight -= open.replies.length;
    open.call.done(open.replies);
  }

  /** Who waits behind what was not answered in time would not be either. */
  function expire(sent: Sent): void {
    end(sent);
    const behind = waiting;
    waiting = [];
    for (const open of [...sent.calls, ...behind]) {
      if (!open.settled) onFailure(open.call, 'timeout', undefined);
      settle(open);
    }
  }

  function end(sent: Sent): void {
    clearTimeout(sent.timer);
    underWay.delete(sent);
    sentKeys -= sent.keys;
    sent.keys = 0;
  }

  /** As many calls as the window has room for; at least one, however large, when nothing is under way. */
  function takeWindow(): readonly OpenCall[] {
    let n = 0;
    for (let keys = sentKeys; n < waiting.length && keys < WINDOW_KEYS; n++)
      keys += waiting[n]?.replies.length ?? 0;
    const calls = waiting.slice(0, n);
    waiting = n === waiting.length ? [] : waiting.slice(n);
    return calls;
  }

  function flush(): void {
    scheduled = undefined;
    const calls = takeWindow();
    if (calls.length === 0) return;
    const keys = calls.reduce((sum, { replies }) => sum + replies.length, 0);
    const sent: Sent = { calls, keys, timer: setTimeout(() => expire(sent), callTimeoutMs) };
    underWay.add(sent);
    sentKeys += keys;
    const streams = connection.servers().map((server) => server.stream);
    for (const stream of streams) stream.cork();
    for (const run of cutRuns(calls, keysPerRun)) {
      sendRun(connection.client, run, (replies) => {
        if (underWay.has(sent)) {
          sent.keys -= run.keys.length;
          sentKeys -= run.keys.length;
          if (sent.keys === 0) end(sent);
        }
        take(run, replies);
        if (waiting.length > 0) scheduled ??= setImmediate(flush);
      });
    }
    for (const stream of streams) stream.uncork();
  }

  function take({ spans }: ScriptRun<OpenCall>, replies: readonly unknown[] | Error): void {
    let at = 0;
    for (const { of, from, count } of spans) {
      // After the deadline the answer is what it was.
      if (!of.settled) {
        if (replies instanceof Error) onFailure(of.call, 'error', replies);
        else for (let i = 0; i < count; i++) of.replies[from + i] = replies[at + i];
      }
      at += count;
      of.open -= count;
      if (of.open === 0) settle(of);
    }
  }

  return {
    submit(call) {
      const open = openCall(call);
      const isFull = inFlight + open.open > maxInFlight;
      inFlight += open.open;
      if (isFull || open.open === 0) {
        if (isFull) onFailure(call, 'refused', undefined);
        setImmediate(settle, open);
        return;
      }
      waiting.push(open);
      scheduled ??= setImmediate(flush);
    },
    close() {
      if (scheduled !== undefined) clearImmediate(scheduled);
      for (const sent of underWay) {
        end(sent);
        for (const open of sent.calls) settle(open);
      }
      for (const open of waiting.splice(0)) settle(open);
    },
  };
}

function openCall(call: ScriptCall): OpenCall {
  return { call, replies: call.keys.map(() => undefined), open: call.keys.length, settled: false };
}
