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

interface OpenCall {
  readonly call: ScriptCall;
  readonly replies: unknown[];
  /** Keys without a reply or an error. */
  open: number;
  settled: boolean;
}

/**
 * Carries scripts to the servers in batches: the calls of one turn of the event loop leave together, in the order in which
 * they came, as one write to each server; on a single server many keys share one run of a script.
 */
export function createScriptLane(options: ScriptLaneOptions): ScriptLane {
  const { connection, callTimeoutMs, maxInFlight, onFailure } = options;
  const keysPerRun = connection.isCluster ? 1 : KEYS_PER_RUN;
  let waiting: OpenCall[] = [];
  let inFlight = 0;
  let scheduled: NodeJS.Immediate | undefined;
  const deadlines = new Map<NodeJS.Timeout, readonly OpenCall[]>();

  function settle(open: OpenCall): void {
    if (open.settled) return;
    open.settled = true;
    inFlight -= open.replies.length;
    open.call.done(open.replies);
  }

  function expire(timer: NodeJS.Timeout): void {
    for (const open of deadlines.get(timer) ?? []) {
      if (!open.settled) onFailure(open.call, 'timeout', undefined);
      settle(open);
    }
    deadlines.delete(timer);
  }

  function flush(): void {
    scheduled = undefined;
    const calls = waiting;
    waiting = [];
    const timer = setTimeout(() => expire(timer), callTimeoutMs);
    deadlines.set(timer, calls);
    let left = 0;
    const streams = connection.servers().map((server) => server.stream);
    for (const stream of streams) stream.cork();
    for (const run of cutRuns(calls, keysPerRun)) {
      left++;
      sendRun(connection.client, run, (replies) => {
        take(run, replies);
        if (--left > 0) return;
        clearTimeout(timer);
        deadlines.delete(timer);
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
      for (const open of waiting) settle(open);
      waiting = [];
      for (const [timer, calls] of deadlines) {
        clearTimeout(timer);
        for (const open of calls) settle(open);
      }
      deadlines.clear();
    },
  };
}

function openCall(call: ScriptCall): OpenCall {
  return { call, replies: call.keys.map(() => undefined), open: call.keys.length, settled: false };
}
