import { afterEach, expect, test } from 'vitest';
import { clientMsgId } from '../../core/contract/ids.ts';
import { createMessageTracer, type MessageTracer } from './message-tracer.ts';
import { startTraceCollector, type TraceCollector } from './testing/trace-collector.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function collector(): Promise<TraceCollector> {
  const started = await startTraceCollector();
  ends.push(() => started.close());
  return started;
}

function tracer(url: string, role: string, ratio: number): MessageTracer {
  return createMessageTracer({ url, ratio, role, node: `${role}-1`, region: 'eu' });
}

const ID = clientMsgId('0190f3a1-1111-7222-8333-444455556666');

test('roles that know nothing of each other give one message one trace, under the span of its gateway', async () => {
  const { url, spans } = await collector();
  const [gateway, worker] = [tracer(url, 'gateway', 1), tracer(url, 'delivery-worker', 1)];
  worker.span('deliver', ID, 2_000, 2_500, {});
  gateway.span('ack', ID, 1_000, 1_900, { 'parley.seq': 3 });
  await gateway.close();
  await worker.close();
  const root = spans.find(({ name }) => name === 'message ack');
  const child = spans.find(({ name }) => name === 'message deliver');
  expect(root?.traceId).toBe('0190f3a1111172228333444455556666');
  expect(root?.parentSpanId ?? '').toBe('');
  expect(child?.traceId).toBe(root?.traceId);
  expect(child?.parentSpanId).toBe(root?.spanId);
  expect(worker.traceparent(ID)).toBe(`00-${root?.traceId}-${root?.spanId}-01`);
});

test('the context that came with a message decides whether it is traced, and its span is linked to it', async () => {
  const { url, spans } = await collector();
  const [all, none] = [tracer(url, 'relay', 1), tracer(url, 'delivery-worker', 0)];
  const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
  none.span('sampled', ID, 1, 2, {}, `00-${traceId}-${spanId}-01`);
  none.span('newer', ID, 1, 2, {}, `cc-${traceId}-${spanId}-01-more`);
  none.span('nonsense', ID, 1, 2, {}, '00-nonsense');
  none.span('invalid', ID, 1, 2, {}, `00-${'0'.repeat(32)}-${spanId}-01`);
  all.span('not sampled', ID, 1, 2, {}, `00-${traceId}-${spanId}-00`);
  all.span('by itself', ID, 1, 2, {}, '00-nonsense');
  await Promise.all([all.close(), none.close()]);
  const seen = spans.map(({ name, links = [] }) => [
    name,
    ...links.map((link) => `${link.traceId} ${link.spanId}`),
  ]);
  expect(seen.toSorted(([a = ''], [b = '']) => a.localeCompare(b))).toEqual([
    ['message by itself'],
    ['message newer', `${traceId} ${spanId}`],
    ['message sampled', `${traceId} ${spanId}`],
  ]);
});

test('every role traces the same share of the messages', () => {
  const [a, b] = [tracer('http://127.0.0.1:9', 'gateway', 0.1), tracer('http://127.0.0.1:9', 'relay', 0.1)];
  ends.push(
    () => a.close(),
    () => b.close(),
  );
  const ids = Array.from({ length: 2_000 }, (_, i) =>
    clientMsgId(`0190f3a1-1111-7222-8333-${i.toString(16).padStart(12, '0')}`),
  );
  const traced = ids.filter((id) => a.traceparent(id) !== undefined);
  expect(ids.filter((id) => b.traceparent(id) !== undefined)).toEqual(traced);
  expect(traced.length).toBeGreaterThan(100);
  expect(traced.length).toBeLessThan(300);
});
