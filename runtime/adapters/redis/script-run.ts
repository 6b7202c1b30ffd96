import type { LeaseScript } from './lease-scripts.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Some keys for one run of a script on one server; they may come from many calls. */
export interface ScriptRun<Call> {
  readonly script: LeaseScript;
  readonly keys: string[];
  readonly args: (string | number)[];
  readonly spans: Span<Call>[];
}

/** `count` keys of a call, from `from` on. */
export interface Span<Call> {
  readonly of: Call;
  readonly from: number;
  readonly count: number;
}

/** Neighbours with the same script share runs; the order of calls stays. */
export function cutRuns<Call extends { readonly call: ScriptKeys }>(
  calls: readonly Call[],
  keysPerRun: number,
): ScriptRun<Call>[] {
  const runs: ScriptRun<Call>[] = [];
  let run: ScriptRun<Call> | undefined;
  for (const of of calls) {
    const { script, keys, args } = of.call;
    const { argsPerKey } = script;
    for (let from = 0; from < keys.length; ) {
      if (run === undefined || run.script !== script || run.keys.length >= keysPerRun) {
        run = { script, keys: [], args: [], spans: [] };
        runs.push(run);
      }
      const to = Math.min(from + keysPerRun - run.keys.length, keys.length);
      for (let i = from; i < to; i++) run.keys.push(keys[i] as string);
      for (let i = from * argsPerKey; i < to * argsPerKey; i++) run.args.push(args[i] as string | number);
      run.spans.push({ of, from, count: to - from });
      from = to;
    }
  }
  return runs;
}

interface ScriptKeys {
  readonly script: LeaseScript;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/**
 * Sends it by its hash; a server that does not know the script has not run it, and is sent its text.
 * @param done called once, with a reply for each key or with why there is none.
 */
export function sendRun(
  client: RedisConnection['client'],
  { script, keys, args }: ScriptRun<unknown>,
  done: (replies: readonly unknown[] | Error) => void,
): void {
  const answered = (replies: unknown): void =>
    done(
      Array.isArray(replies) && replies.length === keys.length
        ? replies
        : new Error(`${script.name}: an answer of ${keys.length} values was expected`),
    );
  const failed = (error: unknown): void => done(error instanceof Error ? error : new Error(String(error)));
  client.evalsha(script.sha, keys.length, ...keys, ...args).then(answered, (error: unknown) => {
    if (error instanceof Error && error.message.startsWith('NOSCRIPT'))
      client.eval(script.text, keys.length, ...keys, ...args).then(answered, failed);
    else failed(error);
  });
}
