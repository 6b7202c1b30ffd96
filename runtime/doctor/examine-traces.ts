import type { Config } from '../config/load-config.ts';
import { broken, ok, type Examination } from './finding.ts';

/** The collector of traces: it is handed an export without a span, which it must take. */
export function examineTraces({ observability }: Config, timeoutMs: number): readonly Examination[] {
  const { traces } = observability;
  if (traces === undefined) return [];
  const { url } = traces;
  return [
    {
      subject: 'collector of traces',
      region: undefined,
      next: `look whether the collector runs and ${url} may be reached from here. Until then spans are dropped, and nothing else suffers`,
      async run() {
        const asked = performance.now();
        const answer = await fetch(url, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ resourceSpans: [] }),
          redirect: 'error',
          signal: AbortSignal.timeout(timeoutMs),
        });
        await answer.arrayBuffer();
        if (answer.ok) return [ok(`takes spans at ${url}, ${Math.round(performance.now() - asked)} ms away`)];
        return [broken(`${url} answered ${answer.status}`, remedyOf(answer.status))];
      },
    },
  ];
}

function remedyOf(status: number): string {
  if (status === 404 || status === 405)
    return 'name the whole path for OTLP over HTTP in observability.traces.url, mostly /v1/traces at port 4318';
  if (status === 401 || status === 403)
    return 'let the collector take spans from here without a login: Parley sends none';
  return 'look at the log of the collector';
}
